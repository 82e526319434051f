use bytes::Bytes;

/// A body whose bytes a judge can read: `Bytes`, or [`MaybeCollected`](crate::MaybeCollected).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is a body that has yet to be read, so nobody can judge what it says",
    note = "put a `CollectLayer::new(…)` below the judge, or `CollectLayer::errors(…)` where answers are streams",
    note = "a judge that asks nothing of the body is `ByStatus`"
)]
pub trait CollectedBody {
    /// What was read; `None` if it is a stream that was let through, which only the body of a success is.
    fn as_collected(&self) -> Option<&Bytes>;
}

impl CollectedBody for Bytes {
    fn as_collected(&self) -> Option<&Bytes> {
        Some(self)
    }
}
