//! What calls are told that an open circuit refuses.

use std::time::Duration;

use tokio::time::Instant;
use trysail_core::{Cause, Open};

use crate::{
    circuit::{CircuitInner, ms},
    machine::{FORCED_RETRY, PROBING_RETRY},
    packed_state::PackedState,
};

/// What a service was told last by the circuit that all its calls go through. The times in a refusal are whole
/// milliseconds, so that it holds for one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastRefusal(Option<KeptOpen>);

/// The refusal of a circuit in one of its states, up to some time.
#[derive(Clone, Copy, Debug)]
struct KeptOpen {
    word: u64,
    until: Instant,
    open: Open,
}

impl LastRefusal {
    pub(crate) const NONE: Self = Self(None);

    /// What `word` of `circuit` stands for `now`, unless a call may pass.
    // Out of line, to keep small what calls of a closed circuit go through.
    #[inline(never)]
    pub(crate) fn at(&mut self, circuit: &CircuitInner, word: u64, now: Instant) -> Option<Open> {
        let same = |kept: &KeptOpen| kept.word == word && now < kept.until;
        self.0.filter(same).map_or_else(|| self.work_out(circuit, word, now), |kept| Some(kept.open))
    }

    #[inline(never)]
    fn work_out(&mut self, circuit: &CircuitInner, word: u64, now: Instant) -> Option<Open> {
        let now_ms = circuit.ms(now);
        let open = refusal(word, now_ms)?;
        self.0 = Some(KeptOpen { word, until: circuit.epoch + Duration::from_millis(now_ms + 1), open });
        Some(open)
    }
}

/// The refusal that `word` stands for, unless a call may pass.
pub(crate) fn refusal(word: u64, now_ms: u64) -> Option<Open> {
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
