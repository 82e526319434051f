//! A call for something else than dense vectors: sent as theirs are, and checked as strictly.

mod future;
mod job;

pub use self::future::AnswerFuture;
pub(crate) use self::job::Job;
