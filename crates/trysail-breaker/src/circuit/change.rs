//! How a circuit changes, and who hears of it.

use std::sync::atomic::Ordering::{Relaxed, Release};

use tokio::{sync::futures::OwnedNotified, time::Instant};

use crate::{
    circuit::inner::CircuitInner, machine::StateMachine, packed_state::PackedState, settings::CircuitSettings,
    snapshot::Snapshot, state::State, sync::MutexGuard, trace,
};

impl CircuitInner {
    /// Ends at the next change that lets a call pass sooner than it could before.
    pub(crate) fn sooner(&self) -> OwnedNotified {
        // With the lock, a change is either seen by who looks now, or sees that somebody waits.
        let machine = self.lock();
        let waiting = std::sync::Arc::clone(self.listeners().waiting.get_or_init(Default::default));
        drop(machine);
        waiting.notified_owned()
    }

    pub(super) fn apply(&self, mut machine: MutexGuard<'_, StateMachine>, settings: CircuitSettings) {
        if machine.set(settings) {
            for window in [&self.failures, &self.slow] {
                window.resize(settings.trip.sample.length);
                window.restart();
            }
        }
        self.follow(settings);
        let sooner = self.publish(&machine);
        drop(machine);
        self.wake_if(sooner);
    }

    pub(super) fn command(&self, command: impl FnOnce(&mut StateMachine, Instant)) {
        let now = Instant::now();
        self.change(now, |machine| command(machine, now));
    }

    /// Works on the machine, and tells whoever wants to know of its state.
    pub(crate) fn change<T>(&self, now: Instant, work: impl FnOnce(&mut StateMachine) -> T) -> T {
        let mut machine = self.lock();
        let before = machine.generation();
        let done = work(&mut machine);
        let generation = machine.generation();
        let snapshot = (generation != before).then(|| {
            let (failures, slow) = self.counts(before, now);
            self.failures.restart();
            self.slow.restart();
            Snapshot::of(&machine, failures, slow, now)
        });
        let sooner = self.publish(&machine);
        drop(machine);
        self.wake_if(sooner);
        if let Some(snapshot) = snapshot {
            trace::changed(self.name(), &snapshot);
            if let Some(changes) = self.listeners.get().and_then(|listeners| listeners.changes.get()) {
                // Two changes may meet here out of their order.
                changes.send_if_modified(|last| {
                    let later = generation.wrapping_sub(last.0) as i32 > 0;
                    if later {
                        *last = (generation, snapshot);
                    }
                    later
                });
            }
        }
        done
    }

    /// Tells calls what the machine does; says whether one may pass sooner now.
    pub(super) fn publish(&self, machine: &StateMachine) -> bool {
        let before = PackedState::unpack(self.state.load(Relaxed));
        let word = self.packed(machine);
        let look_at_ms = machine.look_at().map_or(u64::MAX, |at| self.whole_ms(at));
        self.look_at_ms.store(look_at_ms, Relaxed);
        self.state.store(word.pack(), Release);
        word.refuses_until() < before.refuses_until()
    }

    fn wake_if(&self, sooner: bool) {
        if sooner && let Some(waiting) = self.listeners.get().and_then(|listeners| listeners.waiting.get()) {
            waiting.notify_waiters();
        }
    }

    /// What the machine does, in a word.
    fn packed(&self, machine: &StateMachine) -> PackedState {
        match machine.state(self.epoch) {
            State::Closed => {
                let trip = machine.settings().trip;
                PackedState::Closed {
                    generation: machine.generation(),
                    minds_success: machine.minds_success(),
                    counts: trip.failing.is_some(),
                    times: trip.slow.is_some(),
                }
            }
            State::Disabled => PackedState::Disabled,
            State::ForcedOpen => PackedState::Forced,
            state @ (State::Open | State::HalfOpen) => {
                let until_ms = machine.shut_until().map_or(0, |until| self.whole_ms(until));
                let opened = machine.opened();
                PackedState::Shut {
                    until_ms,
                    probing: state == State::HalfOpen,
                    cause: opened.cause,
                    class: opened.class,
                }
            }
        }
    }
}
