//! What it costs to read an answer, and to judge it before.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    hint::black_box,
    pin::pin,
    process::ExitCode,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tokio::time::Instant;
use tower::{Layer, Service, service_fn};
use trysail::{
    ClassifyLayer, EmbedError, EmbedRequest, EmbedResponse, Embeddings, Endpoint, Failure, Providers,
    http::CollectError,
};

use crate::{
    answer::{self, DIMENSIONS},
    callgrind,
    cases::Case,
};

/// The two encodings, each with and without a judge below.
pub(crate) const ALL: &[Case] = &[
    Case { name: "base64", run: |calls| plain(base64(), calls) },
    Case { name: "base64, judged", run: |calls| judged(base64(), calls) },
    Case { name: "floats", run: |calls| plain(floats(), calls) },
    Case { name: "floats, judged", run: |calls| judged(floats(), calls) },
];

/// Measures all, and says how it went.
pub(crate) fn print() -> ExitCode {
    println!("an answer of {VECTORS} vectors of {DIMENSIONS} dimensions, decoded and checked by `Embeddings`");
    println!("over a service that answers at once; judged: with `Providers` between them");
    let mut bare = 0;
    for case in ALL {
        let bytes = if case.name.starts_with("base64") { base64() } else { floats() }.len();
        let instructions = match callgrind::instructions_per_call(case.name, CALLS) {
            Ok(instructions) => instructions,
            Err(problem) => {
                eprintln!("{}: {problem}", case.name);
                return ExitCode::FAILURE;
            }
        };
        let rate = bytes as f64 / seconds(case).max(1e-9) / 1e6;
        let per_kib = instructions as f64 / (bytes as f64 / 1024.0);
        print!("{:<16} {:>5} KiB  {rate:>6.0} MB/s  {per_kib:>6.0} instructions/KiB", case.name, bytes / 1024);
        if case.name.ends_with("judged") {
            println!("  (the judge takes {:+} instructions in all)", instructions - bare);
        } else {
            println!();
            bare = instructions;
        }
    }
    ExitCode::SUCCESS
}

/// How long one call takes at best, without the making of the answer.
fn seconds(case: &Case) -> f64 {
    let least = |calls| {
        let time = |_| {
            let started = Instant::now();
            (case.run)(calls);
            started.elapsed()
        };
        (0..ROUNDS).map(time).min().unwrap_or_default()
    };
    least(ROUND).saturating_sub(least(0)).as_secs_f64() / ROUND as f64
}

fn plain(body: Bytes, calls: u64) {
    let answer = move |_: Request<Full<Bytes>>| -> Ready<Result<_, Failure<_, Infallible>>> {
        ready(Ok(Response::new(body.clone())))
    };
    run(Embeddings::new(service_fn(answer), endpoint()), calls);
}

fn judged(body: Bytes, calls: u64) {
    let answer = move |_: Request<Full<Bytes>>| -> Ready<Result<_, CollectError<Infallible, Infallible>>> {
        ready(Ok(Response::new(body.clone())))
    };
    run(Embeddings::new(ClassifyLayer::new(Providers).layer(service_fn(answer)), endpoint()), calls);
}

fn run(mut service: impl Service<EmbedRequest, Response = EmbedResponse, Error = EmbedError>, calls: u64) {
    let request = EmbedRequest::new("m", (0..VECTORS).map(|text| text.to_string()));
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..calls {
        assert!(service.poll_ready(&mut cx).is_ready());
        let call = pin!(service.call(black_box(request.clone())));
        let Poll::Ready(Ok(answer)) = call.poll(&mut cx) else { panic!("the answer is a good one, and there at once") };
        assert_eq!(black_box(answer).dimensions(), DIMENSIONS);
    }
}

fn endpoint() -> Endpoint {
    Endpoint::openai("http://localhost/v1").expect("it is a base URL")
}

fn base64() -> Bytes {
    answer::base64(VECTORS)
}

fn floats() -> Bytes {
    answer::floats(VECTORS)
}

const VECTORS: usize = 64;
const CALLS: u32 = 10;
const ROUND: u64 = 50;
const ROUNDS: u32 = 15;
