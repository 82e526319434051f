//! What other systems assert of theirs, and what simulations show: each table, through our own public types.
//!
//! A row that belongs to another policy is printed as "not ours", with the reason, and passes.

mod backoff;
mod bucket;
mod budget;
mod bulk;
mod hints;
mod regressions;
mod retry;
mod sims;

use std::{convert::Infallible, fmt::Display, fs, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use tower::{Layer, ServiceExt};
use trysail::{
    Budget, Class, Classified, Failure, Open, Replay, RetryLayer, RetryReport, Verdict, report,
    retry::Select,
    verdict::{Cause, Inherit},
};
use trysail_testkit::Scripted;

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

/// A table of `data`, as far as `T` names its fields.
fn table<T: DeserializeOwned>(name: &str) -> T {
    let path = format!("{}/data/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(path).expect("a table");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A row that binds nobody but the system it comes from.
fn not_ours(table: &str, row: impl Display, because: &str) {
    println!("not ours: {table}: {row}: because {because}");
}

/// What came of one call.
struct Run {
    outcome: Result<(), Verdict>,
    report: RetryReport,
    /// How often the service was called.
    wire: usize,
    took: Duration,
}

/// One call to a service that answers at once, by `script`; what is left of that does not matter.
async fn run<B, R>(layer: RetryLayer<B, Inherit, R>, script: impl IntoIterator<Item = Verdict>) -> Run
where
    B: IntoIterator<Item = Duration> + Clone,
    R: Replay<()> + Select<(), Budget> + Clone,
{
    let answer = |verdict| if verdict == Verdict::SUCCESS { Ok(()) } else { Err(verdict) };
    let server = Scripted::new(script.into_iter().map(answer));
    let began = Instant::now();
    let (outcome, report) = report(layer.layer(server.clone()).oneshot(())).await;
    Run { outcome, report, wire: server.calls(), took: began.elapsed() }
}

/// What an open circuit says.
fn open(retry_after: Duration) -> Verdict {
    Open::new(retry_after, Cause::Streak, Some(Class::Transient)).verdict()
}

type HttpRequest = Request<Full<Bytes>>;
type HttpResponse = Response<Full<Bytes>>;
type Judged = Failure<Response<Bytes>, trysail::transport::CollectError<Infallible, Infallible>>;

fn embedding_request() -> HttpRequest {
    Request::post("http://localhost/v1/embeddings").body(Full::default()).expect("a valid request")
}

fn answer(status: u16, headers: &[(&str, &str)], body: &'static str) -> HttpResponse {
    let response = headers
        .iter()
        .fold(Response::builder().status(status), |response, (name, value)| response.header(*name, *value));
    response.body(Full::new(Bytes::from_static(body.as_bytes()))).expect("a valid answer")
}
