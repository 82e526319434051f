//! The atomics of the budget, which loom takes the place of where their order is proved.

#[cfg(all(test, trysail_loom))]
pub(crate) use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering};
#[cfg(not(all(test, trysail_loom)))]
pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
