//! What ties a pace to the other replicas that keep it, where there is a store.

/// Has a store asked for a pace.
pub(crate) trait Link<P>: Send + Sync {
    /// One for another pace that is the same to the store.
    fn again(&self) -> Box<dyn Link<P>>;

    fn can_start(&self) -> bool;

    /// Has the store asked from now on, until nobody calls any more, somebody else asks, or the pace is gone.
    fn start(&self, pace: &P, number: u64);

    /// Wakes who asks the store.
    fn ring(&self);
}
