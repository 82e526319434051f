//! What it costs to read an answer, and to judge it before.

use std::{
    convert::Infallible,
    fmt::Write,
    future::{Ready, ready},
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tokio::time::Instant;
use tower::{Layer, Service, service_fn};
use trysail::{
    ClassifyLayer, EmbedError, EmbedRequest, EmbedResponse, Embeddings, Endpoint, Failure, Providers,
    http::CollectError,
};

use crate::{callgrind, table::Table};

/// An answer that is read over and over.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) run: fn(u64),
}

/// The two encodings, each with and without a judge below.
pub(crate) const ALL: &[Case] = &[
    Case { name: "base64", run: |calls| plain(base64(), calls) },
    Case { name: "base64, judged", run: |calls| judged(base64(), calls) },
    Case { name: "floats", run: |calls| plain(floats(), calls) },
    Case { name: "floats, judged", run: |calls| judged(floats(), calls) },
];

/// Measures all.
pub(crate) fn tables() -> Result<Vec<Table>, String> {
    let about = format!(
        "An answer of {VECTORS} vectors of {DIMENSIONS} dimensions, decoded and checked by `Embeddings` over a service \
         that answers at once; judged: with `Providers` between them, and how many instructions that takes in all."
    );
    let columns = ["answer", "KiB", "MB/s", "instructions/KiB", "the judge's"];
    let mut table = Table::new("Decode", &about, &columns);
    let mut plain = 0.0;
    for case in ALL {
        let bytes = if case.name.starts_with("base64") { base64() } else { floats() }.len();
        let instructions = callgrind::per_call(case.name, CALLS)?.instructions;
        let rate = bytes as f64 / seconds(case).max(1e-9) / 1e6;
        let kib = bytes as f64 / 1024.0;
        let mut row = vec![case.name.to_owned()];
        row.extend([kib, rate, instructions / kib].map(|figure| format!("{figure:.0}")));
        if case.name.ends_with("judged") {
            row.push(format!("{:+.0}", instructions - plain));
        } else {
            row.push(String::new());
            plain = instructions;
        }
        table.rows.push(row);
    }
    Ok(vec![table])
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
    answer(|vector| {
        let bytes: Vec<_> = vector.iter().flat_map(|value| value.to_le_bytes()).collect();
        format!("\"{}\"", BASE64_STANDARD.encode(bytes))
    })
}

fn floats() -> Bytes {
    answer(|vector| format!("{vector:?}"))
}

fn answer(written: impl Fn(&[f32]) -> String) -> Bytes {
    let mut state = 1_u64;
    let mut body = r#"{"object":"list","data":["#.to_owned();
    for index in 0..VECTORS {
        let vector: Vec<_> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 40) as f32 / (1 << 23) as f32 - 1.0) / 10.0
        })
        .take(DIMENSIONS)
        .collect();
        let comma = if index == 0 { "" } else { "," };
        let vector = written(&vector);
        write!(body, r#"{comma}{{"object":"embedding","index":{index},"embedding":{vector}}}"#)
            .expect("a string grows");
    }
    body.push_str(r#"],"model":"m","usage":{"prompt_tokens":64,"total_tokens":64}}"#);
    body.into()
}

const VECTORS: usize = 64;
const DIMENSIONS: usize = 1536;
const CALLS: u32 = 10;
const ROUND: u64 = 50;
const ROUNDS: u32 = 15;
