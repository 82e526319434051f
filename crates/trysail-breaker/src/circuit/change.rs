//! How a circuit changes, and who hears of it.

use std::sync::atomic::Ordering::{Relaxed, Release};

use tokio::{sync::futures::OwnedNotified, time::Instant};

use crate::{
    circuit::{CLOCK, Circuit, FAILURES, SLOW, Shared, THROTTLED, ms_up},
    gate::Gate,
    settings::CircuitSettings,
    snapshot::Snapshot,
    state::{Machine, State},
    sync::MutexGuard,
    trace,
    window::Length,
};

impl Circuit {
    /// Ends at the next change that lets a call pass sooner than it could before.
    pub(crate) fn sooner(&self) -> OwnedNotified {
        // With the lock, a change is either seen by who looks now, or sees that somebody waits.
        let machine = self.lock();
        let waiting = std::sync::Arc::clone(self.heard().waiting.get_or_init(Default::default));
        drop(machine);
        waiting.notified_owned()
    }

    pub(super) fn apply(&self, mut machine: MutexGuard<'_, Machine>, settings: CircuitSettings) {
        let shared = &self.shared;
        if machine.set(settings) {
            for window in [&shared.failures, &shared.slow] {
                window.resize(settings.trip.sample.length);
                window.restart();
            }
        }
        shared.follow(settings);
        let sooner = self.publish(&machine);
        drop(machine);
        self.wake_if(sooner);
    }

    pub(super) fn command(&self, command: impl FnOnce(&mut Machine, Instant)) {
        let now = Instant::now();
        self.change(now, |machine| command(machine, now));
    }

    /// Works on the machine, and tells whoever wants to know of its state.
    pub(super) fn change<T>(&self, now: Instant, work: impl FnOnce(&mut Machine) -> T) -> T {
        let shared = &self.shared;
        let mut machine = self.lock();
        let before = machine.generation();
        let done = work(&mut machine);
        let generation = machine.generation();
        let snapshot = (generation != before).then(|| {
            let (failures, slow) = self.tallies(before, now);
            shared.failures.restart();
            shared.slow.restart();
            Snapshot::of(&machine, failures, slow, now)
        });
        let sooner = self.publish(&machine);
        drop(machine);
        self.wake_if(sooner);
        if let Some(snapshot) = snapshot {
            trace::changed(self.name(), &snapshot);
            if let Some(changes) = shared.heard.get().and_then(|heard| heard.changes.get()) {
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
    fn publish(&self, machine: &Machine) -> bool {
        let before = Gate::unpack(self.shared.gate.load(Relaxed));
        let gate = self.gate(machine);
        self.shared.gate.store(gate.pack(), Release);
        gate.refuses_until() < before.refuses_until()
    }

    fn wake_if(&self, sooner: bool) {
        if sooner && let Some(waiting) = self.shared.heard.get().and_then(|heard| heard.waiting.get()) {
            waiting.notify_waiters();
        }
    }

    /// What the machine does, in a word.
    fn gate(&self, machine: &Machine) -> Gate {
        match machine.state(self.shared.epoch) {
            State::Closed => Gate::Closed { generation: machine.generation(), minds_success: machine.minds_success() },
            State::Disabled => Gate::Disabled,
            State::ForcedOpen => Gate::Forced,
            state @ (State::Open | State::HalfOpen) => {
                let until_ms = machine.shut_until().map_or(0, |until| self.whole_ms(until));
                let opened = machine.opened();
                Gate::Shut { until_ms, probing: state == State::HalfOpen, cause: opened.cause, class: opened.class }
            }
        }
    }
}

impl Shared {
    /// Notes what calls need to know of the settings without a lock.
    pub(super) fn follow(&self, settings: CircuitSettings) {
        let trip = settings.trip;
        self.slow_from_ms.store(trip.slow.map_or(u64::MAX, |slow| ms_up(slow.from)), Relaxed);
        self.abandoned_after_ms.store(settings.abandoned_after.map_or(u64::MAX, ms_up), Relaxed);
        let timed = trip.slow.is_some() || (trip.failing.is_some() && matches!(trip.sample.length, Length::Time(_)));
        let uses = [
            (trip.failing.is_some(), FAILURES),
            (trip.slow.is_some(), SLOW),
            (settings.count_throttled, THROTTLED),
            (timed, CLOCK),
        ];
        self.uses.store(uses.iter().filter(|(used, _)| *used).fold(0, |uses, (_, bit)| uses | bit), Relaxed);
    }
}
