use std::{cell::RefCell, rc::Rc};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{Notify, oneshot},
    time::{self, Duration, Instant},
};

use super::{CAPACITY, SLOW, SLOW_CAPACITY, Storm, count};
use crate::dice::Dice;

/// How a server treats what it cannot serve at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// One queue, first come, first served.
    Fifo,
    /// It answers 503 in a millisecond to what would have to wait for more than 0.1 s.
    Sheds,
    /// It serves first what came last.
    Lifo,
    /// One queue that goes on at half its capacity.
    Half,
    /// Ten replicas with a queue each, of which four stand still.
    Replicas,
}

/// Serves whatever has come, whether or not somebody still waits for it.
#[derive(Clone, Debug)]
pub(super) struct Server(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    dice: Dice,
    began: Instant,
    counts: Rc<RefCell<Storm>>,
    /// Until when each queue is busy.
    busy: RefCell<Vec<f64>>,
    waiting: RefCell<Vec<oneshot::Sender<()>>>,
    came: Notify,
}

impl Server {
    pub(super) fn start(kind: Kind, seed: u64, counts: Rc<RefCell<Storm>>) -> Self {
        let queues = if kind == Kind::Replicas { REPLICAS } else { 1 };
        let server = Self(Rc::new(Inner {
            kind,
            dice: Dice::seeded(seed),
            began: Instant::now(),
            counts,
            busy: RefCell::new(vec![0.0; queues]),
            waiting: RefCell::default(),
            came: Notify::new(),
        }));
        if kind == Kind::Lifo {
            tokio::task::spawn_local(server.clone().serve_the_last());
        }
        server
    }

    /// Whether the request is answered well.
    pub(super) async fn request(self) -> bool {
        count(&mut self.0.counts.borrow_mut().sent, self.0.began);
        if self.0.kind == Kind::Lifo {
            let (answer, answered) = oneshot::channel();
            self.0.waiting.borrow_mut().push(answer);
            self.0.came.notify_one();
            return answered.await.is_ok();
        }
        let at = self.0.began.elapsed().as_secs_f64();
        let (takes, good) = self.queue(at);
        time::sleep(Duration::from_secs_f64(takes)).await;
        good
    }

    /// How long it takes, and whether it ends well.
    fn queue(&self, at: f64) -> (f64, bool) {
        let mut busy = self.0.busy.borrow_mut();
        let replica = self.0.dice.below(busy.len());
        let mut starts = busy[replica].max(at);
        if self.0.kind == Kind::Sheds && starts - at > ROOM {
            return (0.001, false);
        }
        let capacity = match self.0.kind {
            Kind::Replicas => {
                if replica < STOPPED && SLOW.contains(&starts) {
                    starts = SLOW.end;
                }
                CAPACITY / REPLICAS as f64
            }
            Kind::Half if SLOW.contains(&starts) => CAPACITY / 2.0,
            _ => capacity(starts),
        };
        busy[replica] = starts + 1.0 / capacity;
        (busy[replica] - at, true)
    }

    async fn serve_the_last(self) {
        let Inner { began, waiting, came, .. } = &*self.0;
        let mut busy = 0.0_f64;
        loop {
            let last = waiting.borrow_mut().pop();
            let Some(answer) = last else {
                came.notified().await;
                busy = busy.max(began.elapsed().as_secs_f64());
                continue;
            };
            busy += 1.0 / capacity(busy);
            time::sleep_until(*began + Duration::from_secs_f64(busy)).await;
            // Whoever does not wait any more has cost as much as the others.
            let _ = answer.send(());
        }
    }
}

fn capacity(at: f64) -> f64 {
    if SLOW.contains(&at) { SLOW_CAPACITY } else { CAPACITY }
}

/// Each takes a tenth of the requests, at random.
const REPLICAS: usize = 10;
const STOPPED: usize = 4;
/// How long what it takes in may have to wait, in seconds.
const ROOM: f64 = 0.1;
