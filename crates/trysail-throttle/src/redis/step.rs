use crate::redis::ask::Ask;

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum TenantStep {
    Ask(Ask),
    /// Nothing before then.
    Sleep(u64),
    /// Nothing until somebody calls.
    Rest,
}
