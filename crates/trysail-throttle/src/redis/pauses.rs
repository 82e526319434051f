//! Pauses that replicas tell each other of.

use std::time::Duration;

use crate::{decision::News, machine::Machine, rates::Rates, redis::ask::Pause, time::nanos};

/// What the store has to hear of a pause.
pub(super) fn pause(machine: &Machine, now: u64) -> Option<Pause> {
    let (here, known) = (machine.paused_until, machine.sharing.paused_until);
    if here == known {
        None
    } else if here > now {
        Some(Pause::For(here - now))
    } else {
        (known > now).then_some(Pause::Lifted)
    }
}

/// Takes over a pause of `paused` nanoseconds that another replica was asked for.
pub(super) fn pauses(machine: &mut Machine, rates: &Rates, paused: u64, now: u64) -> Option<News> {
    let until = now.saturating_add(paused.min(nanos(machine.settings.most_pause)));
    let is_known = until <= machine.paused_until.max(now).saturating_add(nanos(CLOCKS));
    if is_known || machine.paused_until != machine.sharing.paused_until {
        return None;
    }
    machine.pauses(rates, until, now);
    machine.sharing.paused_until = until;
    Some(News::Paused)
}

/// By how much the clocks of two replicas may differ about one pause.
const CLOCKS: Duration = Duration::from_millis(60);
