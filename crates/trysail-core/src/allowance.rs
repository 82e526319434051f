use core::{num::NonZeroU32, time::Duration};

/// What a server says is left of one of its limits.
///
/// Sixteen bytes: counts over four thousand million are that, and times over 49 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    limit: NonZeroU32,
    remaining: u32,
    window_ms: u32,
    /// `u32::MAX` where it is not known.
    reset_ms: u32,
}

/// What a server says is left of its limits of requests and of what they cost, as far as it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowance {
    /// Of requests.
    pub requests: Option<Quota>,
    /// Of tokens, or whatever else requests cost.
    pub cost: Option<Quota>,
}

/// What is learnt from the end of a call: what its server allows, and what the call has cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lesson {
    /// What is left.
    pub allowance: Allowance,
    /// What the server has counted for this call.
    pub cost: Option<u64>,
}

impl Quota {
    /// `remaining` of `limit`, which is counted over `window`.
    ///
    /// `None` if there is no such limit: nothing of nothing, or in no time.
    pub const fn new(limit: u64, remaining: u64, window: Duration) -> Option<Self> {
        match (NonZeroU32::new(saturated(limit)), window.is_zero()) {
            (Some(limit), false) => {
                let window_ms = saturated_ms(window);
                let window_ms = if window_ms == 0 { 1 } else { window_ms };
                Some(Self { limit, remaining: saturated(remaining), window_ms, reset_ms: u32::MAX })
            }
            _ => None,
        }
    }

    /// All of it is there again after `time`.
    pub const fn reset(self, time: Duration) -> Self {
        Self { reset_ms: saturated_ms(time), ..self }
    }

    /// How much there is in a window.
    pub const fn limit(self) -> u64 {
        self.limit.get() as u64
    }

    /// How much of that is left.
    pub const fn remaining(self) -> u64 {
        self.remaining as u64
    }

    /// Over what time it is counted.
    pub const fn window(self) -> Duration {
        Duration::from_millis(self.window_ms as u64)
    }

    /// After what time all of it is there again.
    pub const fn resets_after(self) -> Option<Duration> {
        if self.reset_ms == u32::MAX { None } else { Some(Duration::from_millis(self.reset_ms as u64)) }
    }
}

/// Learns from the end of a call what its server allows, and what the call has cost.
///
/// Every `Fn(Result<&Res, &Err>) -> Lesson` does; write the argument's type out in a closure, so that it is one for every
/// lifetime.
#[diagnostic::on_unimplemented(
    message = "`{Self}` learns nothing from outcomes of `{Res}` and `{Err}`",
    note = "pass a closure `|outcome: Result<&{Res}, &{Err}>| -> Lesson`, or a type that implements `Learn`"
)]
pub trait Learn<Res, Err> {
    /// What `outcome` teaches.
    fn learn(&self, outcome: Result<&Res, &Err>) -> Lesson;
}

#[diagnostic::do_not_recommend]
impl<F, Res, Err> Learn<Res, Err> for F
where
    F: Fn(Result<&Res, &Err>) -> Lesson,
{
    fn learn(&self, outcome: Result<&Res, &Err>) -> Lesson {
        self(outcome)
    }
}

const fn saturated(count: u64) -> u32 {
    if count > u32::MAX as u64 { u32::MAX } else { count as u32 }
}

/// Rounded up, and less than what stands for no time.
const fn saturated_ms(time: Duration) -> u32 {
    let ms = time.as_nanos().div_ceil(1_000_000);
    if ms >= u32::MAX as u128 { u32::MAX - 1 } else { ms as u32 }
}

const _: () = assert!(size_of::<Allowance>() == 32);
