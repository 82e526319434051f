use std::time::Duration;

/// What a failover decides by.
#[derive(Clone, Debug)]
pub(crate) struct FailoverPolicy<F, C, P> {
    pub(crate) fit: F,
    pub(crate) judge: C,
    pub(crate) per_call: P,
    pub(crate) recheck: Duration,
}
