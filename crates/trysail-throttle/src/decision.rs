use trysail_core::Held;

use crate::fare::Fare;

/// What becomes of a call that comes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Arrival {
    Passes(Fare),
    /// It waits, under this number.
    Waits(u64),
    Refused(Held),
}

/// What has become of a call that waits.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Look {
    Decided(Result<Fare, Held>),
    /// Nothing yet; it should look again by then.
    Waits(u64),
}

/// Something that people should hear of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum News {
    Paused,
    Latched,
    Unlatched,
}
