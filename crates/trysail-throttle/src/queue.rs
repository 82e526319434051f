use std::{
    cmp::Reverse,
    collections::{HashMap, VecDeque},
    task::Waker,
};

use trysail_core::Held;

use crate::fare::Fare;

/// Those who wait for their turn, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: VecDeque<Waiter>,
    cost: u64,
    /// What has become of those who do not know it yet.
    decided: HashMap<u64, (Want, Result<Fare, Held>)>,
    /// Who has to be told.
    wakers: Vec<Waker>,
    next: u64,
    /// Who was the first of those who wait when that was last told to somebody.
    first: Option<u64>,
}

#[derive(Debug)]
struct Waiter {
    id: u64,
    want: Want,
    waker: Option<Waker>,
}

/// What a call wants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Want {
    pub(crate) cost: u64,
    /// When it is too late for it.
    pub(crate) until: u64,
}

/// Those who stand before somebody.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Others {
    pub(crate) count: u64,
    pub(crate) cost: u64,
}

impl Queue {
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(crate) fn all(&self) -> Others {
        Others { count: self.waiting.len() as u64, cost: self.cost }
    }

    pub(crate) fn push(&mut self, want: Want) -> u64 {
        self.next += 1;
        self.waiting.push_back(Waiter { id: self.next, want, waker: None });
        self.cost = self.cost.saturating_add(want.cost);
        self.next
    }

    pub(crate) fn first(&self) -> Option<Want> {
        self.waiting.front().map(|waiter| waiter.want)
    }

    /// Who waits in the place of `id`, and behind whom.
    pub(crate) fn find(&self, id: u64) -> Option<(usize, Want, Others)> {
        let place = self.waiting.binary_search_by_key(&id, |waiter| waiter.id).ok()?;
        let cost = self.waiting.range(..place).map(|waiter| waiter.want.cost).fold(0, u64::saturating_add);
        Some((place, self.waiting[place].want, Others { count: place as u64, cost }))
    }

    /// Decides about the one in that place.
    pub(crate) fn decide(&mut self, place: usize, decision: Result<Fare, Held>) {
        let Some(waiter) = self.remove(place) else { return };
        self.decided.insert(waiter.id, (waiter.want, decision));
        self.wakers.extend(waiter.waker);
    }

    /// Refuses those whom `refusal` finds one for, which is told who stands before each of them.
    pub(crate) fn sweep(&mut self, mut refusal: impl FnMut(Want, Others) -> Option<Held>) {
        let (mut place, mut others) = (0, Others::default());
        while let Some(waiter) = self.waiting.get(place) {
            let want = waiter.want;
            match refusal(want, others) {
                Some(held) => self.decide(place, Err(held)),
                None => {
                    place += 1;
                    others = Others { count: others.count + 1, cost: others.cost.saturating_add(want.cost) };
                }
            }
        }
    }

    pub(crate) fn wakes(&mut self, place: usize, waker: &Waker) {
        let kept = &mut self.waiting[place].waker;
        if kept.as_ref().is_none_or(|kept| !kept.will_wake(waker)) {
            *kept = Some(waker.clone());
        }
        if place == 0 {
            self.first = Some(self.waiting[0].id);
        }
    }

    /// Takes the decision about `id`.
    pub(crate) fn decided(&mut self, id: u64) -> Option<Result<Fare, Held>> {
        self.decided.remove(&id).map(|(_, decision)| decision)
    }

    /// Those who were let through and do not know it yet wait again, each in its place; what they give back.
    pub(crate) fn recall(&mut self) -> Vec<Fare> {
        let mut fares = Vec::new();
        let mut back: Vec<_> = self
            .decided
            .extract_if(|_, (_, decision)| decision.is_ok())
            .map(|(id, (want, decision))| {
                fares.extend(decision);
                Waiter { id, want, waker: None }
            })
            .collect();
        back.sort_unstable_by_key(|waiter| Reverse(waiter.id));
        for waiter in back {
            self.cost = self.cost.saturating_add(waiter.want.cost);
            let place = self.waiting.partition_point(|other| other.id < waiter.id);
            self.waiting.insert(place, waiter);
        }
        fares
    }

    /// `id` waits no longer; if it has been let through already, it gives back what it got.
    pub(crate) fn leaves(&mut self, id: u64) -> Option<Fare> {
        if let Ok(place) = self.waiting.binary_search_by_key(&id, |waiter| waiter.id) {
            self.remove(place);
        }
        self.decided(id)?.ok()
    }

    /// The first may pass sooner than it was told.
    pub(crate) const fn sooner(&mut self) {
        self.first = None;
    }

    /// Who has to be woken: those about whom something was decided, and who is the first now and does not know it.
    pub(crate) fn wakers(&mut self) -> Vec<Waker> {
        if let Some(waiter) = self.waiting.front_mut()
            && self.first != Some(waiter.id)
        {
            self.first = Some(waiter.id);
            self.wakers.extend(waiter.waker.take());
        }
        std::mem::take(&mut self.wakers)
    }

    fn remove(&mut self, place: usize) -> Option<Waiter> {
        let waiter = self.waiting.remove(place)?;
        // Exact but where it has saturated; nobody is left who could still count then.
        self.cost = if self.waiting.is_empty() { 0 } else { self.cost.saturating_sub(waiter.want.cost) };
        Some(waiter)
    }
}
