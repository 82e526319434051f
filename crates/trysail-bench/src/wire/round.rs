use std::{fs, future::poll_fn, time::Duration};

use bytes::Bytes;
use http::Response;
use tokio::{runtime::Runtime, task::JoinSet, time::Instant};
use tower::{BoxError, Service, ServiceExt};

/// What one client has done in its turn.
pub(crate) struct Round {
    pub(crate) time: Duration,
    /// For how long its thread was on a processor, where the system says so.
    pub(crate) busy: Option<Duration>,
    pub(crate) latencies: Vec<Duration>,
}

/// When a turn is over.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    Time(Duration),
    /// So many calls at each place.
    Calls(u64),
}

/// A client that takes its turn: so many calls at once, until it is over.
pub(crate) type Turn = Box<dyn Fn(&Runtime, usize, Until) -> Result<Round, String>>;

/// The turns of a `service` that is asked what `make` makes, and answers with so many `bytes`.
pub(crate) fn turn<Req, S>(service: S, make: impl Fn() -> Req + Clone + Send + 'static, bytes: usize) -> Turn
where
    Req: Send + 'static,
    S: Service<Req, Response = Response<Bytes>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError> + Send,
{
    Box::new(move |runtime, places, until| {
        runtime.block_on(async {
            let (began, busy) = (Instant::now(), busy());
            let mut calls = JoinSet::new();
            for _ in 0..places {
                calls.spawn(call(service.clone(), make.clone(), bytes, until));
            }
            let mut latencies = Vec::new();
            while let Some(done) = calls.join_next().await {
                let done = done.map_err(told)?;
                latencies.append(&mut done.map_err(told)?);
            }
            let busy = self::busy().zip(busy).map(|(after, before)| after.saturating_sub(before));
            Ok(Round { time: began.elapsed(), busy, latencies })
        })
    })
}

/// Calls, one after the other; gives how long each took.
async fn call<Req, S>(
    mut service: S,
    make: impl Fn() -> Req,
    bytes: usize,
    until: Until,
) -> Result<Vec<Duration>, BoxError>
where
    S: Service<Req, Response = Response<Bytes>>,
    S::Error: Into<BoxError>,
{
    let began = Instant::now();
    let mut latencies = Vec::new();
    loop {
        let sent = Instant::now();
        let over = match until {
            Until::Time(time) => sent - began >= time,
            Until::Calls(calls) => latencies.len() as u64 >= calls,
        };
        if over {
            return Ok(latencies);
        }
        // Two places call by turns: a service that one alone calls is compiled into it as a whole.
        let answer = if latencies.len().is_multiple_of(2) {
            poll_fn(|cx| service.poll_ready(cx)).await.map_err(Into::into)?;
            service.call(make()).await.map_err(Into::into)?
        } else {
            asked(&mut service, make()).await?
        };
        if !answer.status().is_success() || answer.body().len() != bytes {
            return Err(format!("{} and {} bytes where {bytes} belong", answer.status(), answer.body().len()).into());
        }
        latencies.push(sent.elapsed());
    }
}

/// The answer, as a caller that has lent the service gets it.
async fn asked<Req, S>(service: &mut S, request: Req) -> Result<Response<Bytes>, BoxError>
where
    S: Service<Req, Response = Response<Bytes>, Error: Into<BoxError>>,
{
    service.ready().await.map_err(Into::into)?.call(request).await.map_err(Into::into)
}

/// For how long this thread was on a processor so far, by Linux.
fn busy() -> Option<Duration> {
    let figures = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(figures.split(' ').next()?.parse().ok()?))
}

/// An error with its causes, since what went wrong is the last of them.
fn told(error: impl Into<BoxError>) -> String {
    let error = error.into();
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |told, cause| format!("{told}: {cause}"))
}
