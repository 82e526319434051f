use std::time::Duration;

/// How long a circuit is open, and its probes are waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) open: Duration,
    pub(crate) cap: Duration,
    pub(crate) lease: Duration,
    /// The most that a server's hint can keep it open for.
    pub(crate) most_hint: Duration,
}

/// How a half-open circuit finds out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probing {
    pub(crate) at_once: u32,
    pub(crate) successes: u32,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            open: Duration::from_secs(5),
            cap: Duration::from_secs(15),
            lease: Duration::from_secs(30),
            most_hint: Duration::from_secs(60),
        }
    }
}

impl Default for Probing {
    fn default() -> Self {
        Self { at_once: 1, successes: 1 }
    }
}
