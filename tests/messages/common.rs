//! What the cases share.

use std::{convert::Infallible, io, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use trysail::{Backoff, Failure, Verdict};

#[derive(Clone, Debug)]
pub struct Question;

#[derive(Debug)]
pub struct Once;

pub type Web = Request<Full<Bytes>>;

pub const SECOND: Duration = Duration::from_secs(1);

pub fn backoff() -> Backoff {
    Backoff::exponential(SECOND)
}

/// The error of somebody else.
pub async fn foreign(_: Question) -> Result<u32, io::Error> {
    Ok(42)
}

/// An error that was judged.
pub async fn judged<Req>(_: Req) -> Result<u32, Failure<u32, io::Error>> {
    Ok(42)
}

pub fn judge(outcome: Result<&u32, &io::Error>) -> Verdict {
    outcome.map_or(Verdict::TRANSIENT, |_| Verdict::SUCCESS)
}

pub async fn web(_: Web) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::default()))
}
