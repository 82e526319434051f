use crate::heard::Heard;

/// How many calls a server bears at once: fewer with each loss; more with each round that is
/// answered, and with the time that passes.
///
/// Latency says nothing here: a timeout that is always the same looks healthy to what watches it.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    /// Never more than this; 0 where there is no limit.
    most: u32,
    out: u32,
    cut: Option<Reduced>,
}

#[derive(Clone, Copy, Debug)]
struct Reduced {
    to: f64,
    at: u64,
}

impl InFlight {
    pub(crate) fn set(&mut self, most: Option<u32>) {
        self.most = most.map_or(0, |most| most.max(1));
    }

    pub(crate) const fn is_on(&self) -> bool {
        self.most > 0
    }

    /// How many there may be now.
    pub(crate) fn limit(&self, now: u64) -> Option<u32> {
        let grown = |cut: Reduced| cut.to + now.saturating_sub(cut.at) as f64 / 1e9 * self.growth();
        let limit = self.cut.map_or(self.most, |cut| grown(cut).min(self.most.into()) as u32);
        self.is_on().then_some(limit.max(1))
    }

    /// Whether one more may go, or else when it may at the latest.
    pub(crate) fn room(&self, now: u64) -> Result<(), u64> {
        match self.limit(now) {
            Some(limit) if self.out >= limit => {
                let lacks = f64::from(self.out - limit + 1) / self.growth();
                Err(now.saturating_add((lacks * 1e9) as u64))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn goes(&mut self) -> bool {
        self.out += u32::from(self.is_on());
        self.is_on()
    }

    /// One that was sent then is back, or lost.
    pub(crate) fn ends(&mut self, outcome: Heard, sent: u64, now: u64) {
        self.out = self.out.saturating_sub(1);
        let Some(limit) = self.limit(now).map(f64::from) else { return };
        match &mut self.cut {
            // What was sent before the last cut says nothing new.
            Some(cut) if sent < cut.at => {}
            Some(cut) if outcome == Heard::Success => cut.to += INCREASE / limit,
            _ if outcome.is_loss() => self.cut = Some(Reduced { to: (limit * DECREASE).max(1.0), at: now }),
            _ => {}
        }
    }

    /// By how many the limit grows in a second.
    fn growth(&self) -> f64 {
        (f64::from(self.most) / SECONDS).max(LEAST_GROWTH)
    }
}

const DECREASE: f64 = 0.7;
/// By how many the limit grows with each round that is answered: errors that come by themselves must not close it.
const INCREASE: f64 = 0.5;
/// In how many seconds all of the limit is back.
const SECONDS: f64 = 180.0;
const LEAST_GROWTH: f64 = 0.1;
