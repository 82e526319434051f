use trysail_core::{Allowance, Quota};

use crate::{fare::Fare, rate::Rate, rates::Rates, time::nanos};

/// The rates that a server says it has, and by how much our own account of them was put right.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Learnt {
    pub(crate) requests: Option<Rate>,
    pub(crate) cost: Option<Rate>,
    shifts: [i64; 2],
}

impl Learnt {
    pub(crate) const fn is_known(&self) -> bool {
        self.requests.is_some() || self.cost.is_some()
    }

    /// Takes over the rates; says whether they are others than before.
    pub(crate) fn names(&mut self, allowance: Allowance) -> bool {
        let requests = allowance.requests.map(rate).or(self.requests);
        let cost = allowance.cost.map(rate).or(self.cost);
        let is_news = (requests, cost) != (self.requests, self.cost);
        if is_news {
            *self = Self { requests, cost, shifts: [0; 2] };
        }
        is_news
    }

    /// Takes over what is left, as the answer to a call says.
    pub(crate) fn follow(&mut self, rates: &Rates, fare: Fare, allowance: Allowance, now: u64) {
        let quotas = [(&rates.requests, allowance.requests), (&rates.cost, allowance.cost)];
        let taken = fare.paid();
        for (which, (gcra, quota)) in quotas.into_iter().enumerate() {
            let Some(quota) = quota else { continue };
            let level = quota.remaining().saturating_sub(margin(quota));
            match taken.and_then(|taken| gcra.lag(taken.marks[which], level, taken.at)) {
                // Others use the account, or we have been wrong about them: more than our own account has is never left.
                Some(lag) => {
                    let shift = lag.max(-self.shifts[which]);
                    self.shifts[which] += shift;
                    gcra.shift(shift);
                }
                None => gcra.at_most(level, now),
            }
            if let Some(reset) = quota.resets_after().filter(|_| quota.remaining() == 0 && !refills_evenly(quota)) {
                gcra.empty(now.saturating_add(nanos(reset)));
            }
        }
    }
}

/// Whether what is used comes back one by one, and not all at the end of a window.
fn refills_evenly(quota: Quota) -> bool {
    let used = quota.limit().saturating_sub(quota.remaining()) as f64 / quota.limit() as f64;
    let Some(reset) = quota.resets_after() else { return true };
    let (window, reset) = (quota.window().as_secs_f64(), reset.as_secs_f64());
    (reset - used * window).abs() <= window / 10.0
}

fn rate(quota: Quota) -> Rate {
    Rate::new(quota.limit(), quota.window()).burst(quota.limit() - margin(quota))
}

/// What is left alone of a bucket. The way there takes some calls longer than others, so those that are sent at the rate do
/// not come at it.
const fn margin(quota: Quota) -> u64 {
    quota.limit() / 50
}
