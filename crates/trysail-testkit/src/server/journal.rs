use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use http::{HeaderMap, header::AUTHORIZATION};

use crate::{Plan, faults::Fault};

/// What a server has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Embedding requests that got a number; those reset by an outage have none.
    pub requests: u64,
    /// The inputs in them.
    pub inputs: u64,
    /// How often each fault happened, by its name in a plan; `down` counts the resets by outages.
    pub faults: BTreeMap<&'static str, u64>,
    /// Connections that were accepted.
    pub accepted: u64,
    /// Connections that are open now.
    pub open: u64,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Received {
    /// The path of its URL.
    pub path: String,
    /// Its headers; the key among them is marked sensitive, so `Debug` does not show it.
    pub headers: HeaderMap,
    /// What was done to it.
    pub fault: Option<Fault>,
}

/// The number of an embedding request, and the fault it meets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draw {
    pub(super) ordinal: u64,
    pub(super) fault: Option<Fault>,
}

#[derive(Debug, Default)]
pub(super) struct Journal(Mutex<Pages>);

#[derive(Debug, Default)]
struct Pages {
    stats: Stats,
    log: VecDeque<Received>,
}

impl Journal {
    pub(super) fn stats(&self) -> Stats {
        self.pages().stats.clone()
    }

    pub(super) fn requests(&self) -> Vec<Received> {
        self.pages().log.iter().cloned().collect()
    }

    /// Gives an embedding request its number and its fault.
    pub(super) fn draw(&self, path: &str, headers: &HeaderMap, plan: &Plan) -> Draw {
        let mut pages = self.pages();
        let ordinal = pages.stats.requests;
        let fault = plan.fault(ordinal);
        pages.stats.requests += 1;
        if let Some(fault) = fault {
            *pages.stats.faults.entry(fault.name()).or_default() += 1;
        }
        pages.log(path, headers, fault);
        Draw { ordinal, fault }
    }

    /// Records any other request.
    pub(super) fn log(&self, path: &str, headers: &HeaderMap) {
        self.pages().log(path, headers, None);
    }

    pub(super) fn inputs(&self, count: usize) {
        self.pages().stats.inputs += count as u64;
    }

    pub(super) fn fault(&self, name: &'static str) {
        *self.pages().stats.faults.entry(name).or_default() += 1;
    }

    /// Records a connection, which is open until the result is dropped.
    pub(super) fn open(&self) -> impl Drop + Send {
        let mut pages = self.pages();
        pages.stats.accepted += 1;
        pages.stats.open += 1;
        Open(self)
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    fn log(&mut self, path: &str, headers: &HeaderMap, fault: Option<Fault>) {
        let mut headers = headers.clone();
        if let Some(key) = headers.get_mut(AUTHORIZATION) {
            key.set_sensitive(true);
        }
        self.log.push_back(Received { path: path.into(), headers, fault });
        if self.log.len() > LOGGED {
            self.log.pop_front();
        }
    }
}

struct Open<'a>(&'a Journal);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.pages().stats.open -= 1;
    }
}

pub(super) const DOWN: &str = "down";
const LOGGED: usize = 10_000;
