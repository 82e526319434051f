//! Waits that are bounded by a call's deadline and not by its number of retries.

use std::time::Duration;

use trysail_core::{Random, Window};

use crate::backoff::spread;

/// How long a throttled caller waits at least, without a hint: a sixtieth of the window that the limit is counted over,
/// twice as long each time, up to a third of it. Where nobody names the window, it is a minute.
pub(crate) fn throttled(window: Option<Window>, before: u32) -> Duration {
    let window = window.unwrap_or(Window::Minute).length();
    let factor = 1_u32.checked_shl(before).unwrap_or(u32::MAX);
    (window / 60).saturating_mul(factor).min(window / 3)
}

/// How long a server that loads its model is left alone: 1, 2, 4, then every 5 s, half of it by chance.
pub(crate) fn warm_up(before: u32, random: &Random) -> Duration {
    let whole = WARM_UP[WARM_UP.len().min(before as usize + 1) - 1];
    whole / 2 + spread(random, whole / 2)
}

/// Never below what was asked for, and up to half more.
pub(crate) fn stretch(asked: Duration, random: &Random) -> Duration {
    asked.saturating_add(spread(random, (asked / 2).min(MOST_JITTER)))
}

const WARM_UP: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(5)];
const MOST_JITTER: Duration = Duration::from_secs(5);
