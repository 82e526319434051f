/// What a call has taken to be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fare {
    pub(crate) cost: u64,
    /// When, by the pace's clock, if it has read that.
    pub(crate) at: u64,
    /// What was left of both rates then.
    pub(crate) marks: [u64; 2],
    /// How often calls had been slowed down before it.
    pub(crate) epoch: u32,
    /// Whether it has taken from the rates.
    pub(crate) is_paid: bool,
    /// Whether it counts among the first after a pause.
    pub(crate) is_counted: bool,
    /// Whether it counts among those in flight.
    pub(crate) is_limited: bool,
    /// Whether it finds out if the server says something else by now.
    pub(crate) is_probe: bool,
}
