//! The samples of the manual, whose text stands between `// sample` and `// end`, as functions that can be joined.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use tower::{
    BoxError, Layer, Service, ServiceBuilder, ServiceExt,
    util::{BoxCloneService, BoxCloneServiceLayer},
};
use trysail::{
    AccountPace, Adjustable, Backoff, BreakerLayer, Budget, CheckExt, Circuit, Classified, ClassifyLayer, CollectLayer,
    EmbedError, EmbedRequest, EmbedResponse, Embeddings, Endpoint, FailoverLayer, Failure, Gauges, HttpError,
    HttpRequest, Idempotent, LearnUsage, Limit, ObserveLayer, OrDeadline, OrOwn, Pace, Paces, Preset, Providers,
    Replay, RetryLayer, ThrottleLayer, TimeLimit, TimeoutLayer, Trip,
    embeddings::{Fingerprint, InvalidEndpoint},
    throttle::Select,
    verdict::{FromElapsed, FromHeld, FromOpen},
};
use trysail_testkit::server::Running;

pub(super) type Wire = HttpRequest;
pub(super) type Failed = HttpError;
pub(super) type Http = BoxCloneService<Wire, Response<Bytes>, Failed>;
/// A client whose server is always busy.
pub(super) type Later = BoxCloneService<Wire, Response<Full<Bytes>>, Infallible>;
pub(super) type Typed = BoxCloneService<EmbedRequest, EmbedResponse, EmbedError>;

type TypedLayer = BoxCloneServiceLayer<Typed, EmbedRequest, EmbedResponse, EmbedError>;
type HttpLayer = BoxCloneServiceLayer<Http, Wire, Response<Bytes>, Failed>;

/// The samples that go around any service.
#[derive(Clone, Copy, Debug)]
pub(super) enum Around {
    Nothing,
    Limits,
    Metrics,
}

pub(super) const AROUND: [Around; 3] = [Around::Nothing, Around::Limits, Around::Metrics];

impl Around {
    pub(super) fn layer<S, Req>(self, service: S) -> BoxCloneService<Req, S::Response, S::Error>
    where
        S: Service<Req, Response: Send, Error: Classified + FromElapsed + FromHeld + FromOpen + Send, Future: Send>,
        S: Clone + Send + 'static,
        Req: Send + 'static,
        Idempotent: Replay<Req>,
        OrDeadline<Adjustable>: Limit<Req>,
        OrDeadline<Duration>: Limit<Req>,
        AccountPace: Select<Req, Pace>,
    {
        match self {
            Self::Nothing => service.boxed_clone(),
            Self::Limits => limits(service).boxed_clone(),
            Self::Metrics => metrics(service).boxed_clone(),
        }
    }
}

pub(super) async fn first(server: &Running) -> Result<(), BoxError> {
    // sample README.md
    let embed = trysail::embeddings(&server.url())?;
    let answer = embed.embed(["a fair wind", "a storm at sea"]).await?;
    println!("{:?}", answer.vectors().next());
    // end
    Ok(())
}

pub(super) fn the_stack() -> Http {
    // sample README.md
    let embed = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Duration::from_secs(60))) // the whole call
        .layer(
            RetryLayer::new(Backoff::exponential(Duration::from_millis(100))) // x2, cap 10 s, full jitter, 3 retries
                .replay(Idempotent)
                .within(Duration::from_secs(60))
                .budget(Budget::default()),
        )
        .layer(BreakerLayer::new(Circuit::new(Trip::default())))
        .layer(TimeoutLayer::new(Duration::from_secs(20))) // one attempt, body included
        .service(trysail::client()) // Ok now means success
        .checked::<HttpRequest>(); // or the compiler says what is missing
    // end
    embed.boxed_clone()
}

pub(super) fn bare() -> Http {
    // sample README.md
    let http = trysail::client();
    // end
    http.boxed_clone()
}

#[expect(unused_mut, reason = "the sample goes on to call it")]
pub(super) fn typed(http: Http, server: &Running) -> Result<Typed, InvalidEndpoint> {
    // sample README.md
    let endpoint = Endpoint::openai(&server.url())?.key("sk-test")?;
    let mut embed = Preset::interactive().layer(Embeddings::new(http, endpoint));
    // end
    Ok(embed.boxed_clone())
}

pub(super) async fn ask(mut embed: Typed) -> Result<(), BoxError> {
    // sample README.md
    let request = EmbedRequest::new("potion-base-2M", ["a fair wind", "a storm at sea"]);
    for vector in embed.ready().await?.call(request).await?.vectors() {
        println!("{} dimensions", vector.len());
    }
    // end
    Ok(())
}

pub(super) fn endpoint(server: &Running) -> Result<Endpoint, InvalidEndpoint> {
    // sample docs/stacking.md
    let endpoint = Endpoint::openai(&server.url())?;
    // end
    Ok(endpoint)
}

pub(super) fn bare_too() -> Http {
    // sample docs/stacking.md
    let http = trysail::client();
    // end
    http.boxed_clone()
}

pub(super) fn above_and_below(http: Http, endpoint: Endpoint) -> [Typed; 2] {
    // sample docs/stacking.md
    // Above: what is no usable answer is a failed attempt, too.
    let above = Preset::interactive().layer(Embeddings::new(http.clone(), endpoint.clone()));
    // Below: one stack for calls of all kinds; it takes every 2xx for a success, and `Embeddings` may still refuse it.
    let below = Embeddings::new(Preset::interactive().layer(http), endpoint);
    // end
    [above.boxed_clone(), below.boxed_clone()]
}

pub(super) fn list([first, second]: [Endpoint; 2], fingerprint: Fingerprint) -> Typed {
    // sample docs/stacking.md
    let server = |endpoint| {
        ServiceBuilder::new()
            .layer(BreakerLayer::new(Circuit::new(Trip::default())))
            .layer(TimeoutLayer::new(Duration::from_secs(20)))
            .service(Embeddings::new(trysail::client(), endpoint))
    };
    let budget = Budget::default();
    let list = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Duration::from_secs(60)))
        .layer(RetryLayer::default().replay(Idempotent).within(Duration::from_secs(60)).budget(budget.clone()))
        .layer(
            FailoverLayer::new([server(second)]) // and more of them
                .replay(Idempotent)
                .within(Duration::from_secs(60)) // half of it for the first, if that hangs
                .budget(budget)
                .fits(move |server| fingerprint.check(server)), // never a vector of another family
        )
        .service(server(first));
    // end
    list.boxed_clone()
}

/// Its calls keep the pace of their account.
pub(super) fn paced(http: Http, endpoint: Endpoint) -> Typed {
    // sample docs/stacking.md
    let paces = Paces::new(1_000, Pace::default); // rates are learnt; `PaceSettings` sets them
    let whose = endpoint.clone();
    let typed = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Duration::from_secs(60)))
        .layer(
            RetryLayer::new(Backoff::exponential(Duration::from_millis(100)))
                .replay(Idempotent)
                .within(Duration::from_secs(60)),
        )
        .layer(
            ThrottleLayer::new(paces.keyed(move |request: &EmbedRequest| whose.account(request.model())))
                .cost(EmbedRequest::likely_tokens)
                .learn_with(LearnUsage)
                .most(OrDeadline(Duration::from_secs(60))),
        )
        .layer(BreakerLayer::new(Circuit::new(Trip::default())))
        .layer(TimeoutLayer::new(Duration::from_secs(20)))
        .service(Embeddings::new(http, endpoint));
    // end
    typed.boxed_clone()
}

/// A proxy that gives back what came last; asserts that it is a 503 with the body `later`.
pub(super) async fn answered(client: Later, request: Wire) -> Result<(), BoxError> {
    // sample docs/stacking.md
    let proxy = ServiceBuilder::new()
        .map_result(Failure::or_response)
        .layer(TimeoutLayer::new(Duration::from_secs(60)))
        .layer(RetryLayer::new(Backoff::exponential(Duration::from_millis(100))).replay(Idempotent))
        .layer(BreakerLayer::new(Circuit::new(Trip::default())))
        .layer(TimeoutLayer::new(Duration::from_secs(20)))
        .layer(ClassifyLayer::new(Providers))
        .layer(CollectLayer::new(64 << 20))
        .service(client);

    let answer = proxy.oneshot(request).await?;
    assert_eq!((answer.status().as_u16(), &answer.body()[..]), (503, &b"later"[..]));
    // end
    Ok(())
}

/// The same without a layer that judges.
pub(super) async fn judged_above(client: Later, request: Wire) -> Result<(), BoxError> {
    // sample docs/stacking.md
    let retry = RetryLayer::new(Backoff::exponential(Duration::from_millis(100))).replay(Idempotent);
    let proxy = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Duration::from_secs(60)))
        .layer(retry.classify_with(Providers))
        .layer(BreakerLayer::new(Circuit::new(Trip::default())).classify_with(Providers))
        .layer(TimeoutLayer::new(Duration::from_secs(20)))
        .map_err(BoxError::from)
        .layer(CollectLayer::new(64 << 20))
        .service(client);

    assert_eq!(proxy.oneshot(request).await?.status().as_u16(), 503);
    // end
    Ok(())
}

fn limits<S, Req>(
    service: S,
) -> impl Service<Req, Response = S::Response, Error = S::Error, Future: Send> + Clone + Send
where
    S: Service<Req, Response: Send, Error: Classified + FromElapsed + FromHeld + FromOpen + Send, Future: Send>,
    S: Clone + Send + 'static,
    Req: Send + 'static,
    Idempotent: Replay<Req>,
    OrDeadline<Adjustable>: Limit<Req>,
    AccountPace: Select<Req, Pace>,
{
    // sample docs/timeouts.md
    let overall = Adjustable::new(Duration::from_secs(60));
    let attempt = Adjustable::new(Duration::from_secs(20));
    let embed = Preset::interactive().limits(overall.clone(), attempt.clone()).layer(service);

    // From anywhere, any time: calls made from now on are given up sooner, in the outer timeout and the retry alike.
    overall.set(Duration::from_secs(5));
    attempt.set(Duration::from_secs(2));
    // end
    embed
}

/// A layer for typed calls, and one for HTTP beside a request of its own.
pub(super) fn by_request() -> (TypedLayer, HttpLayer, Wire) {
    // sample docs/timeouts.md
    // More texts take longer…
    let by_size = TimeoutLayer::new(|request: &EmbedRequest| {
        Duration::from_secs(5) + Duration::from_millis(20) * request.len() as u32
    });
    // …or an HTTP request says it itself.
    let own = TimeoutLayer::new(OrOwn(Duration::from_secs(20)));
    let mut request = http::Request::new(Full::<Bytes>::default());
    request.extensions_mut().insert(TimeLimit(Duration::from_secs(90)));
    // end
    (BoxCloneServiceLayer::new(by_size), BoxCloneServiceLayer::new(own), request)
}

fn metrics<S, Req>(
    service: S,
) -> impl Service<Req, Response = S::Response, Error = S::Error, Future: Send> + Clone + Send
where
    S: Service<Req, Response: Send, Error: Classified + FromElapsed + FromHeld + FromOpen + Send, Future: Send>,
    S: Clone + Send + 'static,
    Req: Send + 'static,
    Idempotent: Replay<Req>,
    OrDeadline<Duration>: Limit<Req>,
    AccountPace: Select<Req, Pace>,
{
    // sample docs/metrics.md
    let (origin, model) = ("api.openai.com", "text-embedding-3-small");
    let preset = Preset::interactive();
    let embed = ObserveLayer::new(origin, model).layer(preset.layer(service)); // around everything

    let gauges = Gauges::new(origin, model).circuit(preset.circuit()).budget(preset.budget()).pace(preset.pace());
    gauges.publish(); // whenever metrics are read, or every few seconds
    // end
    embed
}
