//! What calls are told that an open circuit refuses.

use std::{cell::Cell, time::Duration};

use tokio::time::Instant;
use trysail_core::{Cause, Open};

use crate::{
    circuit::{CircuitInner, ms},
    machine::{FORCED_RETRY, PROBING_RETRY},
    packed_state::PackedState,
};

/// The refusal of a circuit in one of its states, at any time of one millisecond: nothing but the clock is asked for it
/// again.
#[derive(Clone, Copy)]
struct Kept {
    word: u64,
    epoch: Instant,
    from: Instant,
    to: Instant,
    open: Open,
}

thread_local! {
    /// The last one of this thread.
    static KEPT: Cell<Option<Kept>> = const { Cell::new(None) };
}

impl CircuitInner {
    /// The refusal that `word` stands for `now`, unless a call may pass.
    pub(crate) fn refusal(&self, word: u64, now: Instant) -> Option<Open> {
        let same = |kept: &Kept| kept.word == word && kept.epoch == self.epoch && kept.from <= now && now < kept.to;
        KEPT.get().filter(same).map_or_else(|| self.fresh_refusal(word, now), |kept| Some(kept.open))
    }

    #[inline(never)]
    fn fresh_refusal(&self, word: u64, now: Instant) -> Option<Open> {
        let now_ms = self.ms(now);
        let open = refusal(word, now_ms)?;
        let to = self.epoch + Duration::from_millis(now_ms + 1);
        KEPT.set(Some(Kept { word, epoch: self.epoch, from: now, to, open }));
        Some(open)
    }
}

/// The refusal that `word` stands for, unless a call may pass.
fn refusal(word: u64, now_ms: u64) -> Option<Open> {
    match PackedState::unpack(word) {
        PackedState::Closed { .. } | PackedState::Disabled => None,
        PackedState::Forced => Some(Open::new(FORCED_RETRY, Cause::Forced, None)),
        PackedState::Shut { until_ms, probing, cause, class } => {
            let rest_ms = until_ms.checked_sub(now_ms).filter(|ms| *ms > 0)?;
            let rest_ms = if probing { rest_ms.min(ms(PROBING_RETRY)) } else { rest_ms };
            Some(Open::new(Duration::from_millis(rest_ms), cause, class))
        }
    }
}
