use std::time::Duration;

/// So much in so much time: requests, or what they cost.
///
/// It refills evenly. What is not used is kept as a burst, of as much as a second brings unless [set](Self::burst): a server
/// that counts in windows of its own is then never asked for more than its rate in any of them, but for that second.
///
/// ```
/// # use trysail_throttle::Rate;
/// let tokens = Rate::per_minute(200_000).burst(20_000);
/// assert_eq!(tokens.amount(), 200_000);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    amount: u64,
    period: Duration,
    burst: Option<u64>,
}

impl Rate {
    /// `amount`, at least one, in each `period`.
    pub const fn new(amount: u64, period: Duration) -> Self {
        let amount = if amount == 0 { 1 } else { amount };
        let period = if period.is_zero() { Duration::from_nanos(1) } else { period };
        Self { amount, period, burst: None }
    }

    /// `amount` a second.
    pub const fn per_second(amount: u64) -> Self {
        Self::new(amount, Duration::from_secs(1))
    }

    /// `amount` a minute.
    pub const fn per_minute(amount: u64) -> Self {
        Self::new(amount, Duration::from_secs(60))
    }

    /// How much may be used at once after an idle time; at least one.
    pub const fn burst(self, units: u64) -> Self {
        Self { burst: Some(if units == 0 { 1 } else { units }), ..self }
    }

    /// How much there is in each period.
    pub const fn amount(self) -> u64 {
        self.amount
    }

    /// Over what time it refills.
    pub const fn period(self) -> Duration {
        self.period
    }

    /// How much there is in `time`.
    pub fn within(self, time: Duration) -> f64 {
        time.as_nanos() as f64 / self.interval()
    }

    /// The one of which there is least.
    pub(crate) fn least(rates: impl IntoIterator<Item = Option<Self>>) -> Option<Self> {
        rates.into_iter().flatten().reduce(|one, other| if one.interval() > other.interval() { one } else { other })
    }

    /// One of so many equal parts of it.
    pub(crate) fn part(self, of: u32) -> Self {
        let burst = self.burst.map(|units| (units / u64::from(of)).max(1));
        Self { period: self.period.saturating_mul(of), burst, ..self }
    }

    /// So many of it together.
    pub(crate) fn times(self, many: u32) -> Self {
        let many = u64::from(many);
        Self {
            amount: self.amount.saturating_mul(many),
            burst: self.burst.map(|units| units.saturating_mul(many)),
            ..self
        }
    }

    /// After how many nanoseconds there is one more.
    pub(crate) fn interval(self) -> f64 {
        self.period.as_nanos() as f64 / self.amount as f64
    }

    /// How many nanoseconds a full bucket takes to refill.
    pub(crate) fn depth(self) -> u64 {
        let second = 1e9 / self.interval();
        let units = self.burst.map_or(second, |units| units as f64).max(1.0);
        (units * self.interval()) as u64
    }
}
