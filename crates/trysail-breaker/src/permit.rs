/// What admits a call, and finds its result a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Permit {
    pub(crate) generation: u32,
    /// 0 unless the call is a probe.
    pub(crate) probe: u32,
}
