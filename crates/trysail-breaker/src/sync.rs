//! What threads share, and what loom puts in its place to try all their interleavings.

#[cfg(not(all(test, trysail_loom)))]
pub(crate) use std::sync::{
    Arc, Mutex, MutexGuard,
    atomic::{AtomicU8, AtomicU64},
};

#[cfg(all(test, trysail_loom))]
pub(crate) use loom::sync::{
    Arc, Mutex, MutexGuard,
    atomic::{AtomicU8, AtomicU64},
};
