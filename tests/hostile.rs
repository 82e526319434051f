//! Real sockets, and a server that misbehaves in one way: each call ends within its limit, for the right reason, and
//! leaves neither a connection nor a task behind.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use tokio::{runtime::Handle, time};
use tower::{BoxError, Service, ServiceBuilder, ServiceExt};
use trysail::{
    Class, Classified, ClassifyLayer, Client, CollectLayer, Elapsed, Failure, Providers, TimeoutLayer,
    verdict::{Health, Phase, Scope},
};
use trysail_testkit::hostile::{HostileServer, Trick};

const CONNECT: Duration = Duration::from_millis(400);
const IDLE: Duration = Duration::from_millis(300);
const ATTEMPT: Duration = Duration::from_millis(700);
const LIMIT: usize = 100_000;

/// How one attempt ended.
#[derive(Debug)]
enum End {
    Answer(usize),
    Elapsed(Elapsed),
    Class(Class, Health),
}

/// What is found in an error, or in its causes.
fn elapsed(error: &(dyn std::error::Error + 'static)) -> Option<Elapsed> {
    std::iter::successors(Some(error), |error| error.source()).find_map(|error| error.downcast_ref().copied())
}

async fn attempt(trick: Trick) -> Result<End, BoxError> {
    let tasks = Handle::current().metrics().num_alive_tasks();
    let server = HostileServer::start(trick).await?;
    let mut service = ServiceBuilder::new()
        .layer(TimeoutLayer::new(ATTEMPT).scope(Scope::Attempt))
        .layer(ClassifyLayer::new(Providers))
        .layer(CollectLayer::new(LIMIT).idle(IDLE))
        .service(Client::builder().connect_timeout(CONNECT).no_proxy().build::<Full<Bytes>>());
    let request = Request::post(server.url()).body(Full::new(Bytes::from_static(b"{}")))?;
    let call = service.ready().await?.call(request);
    let outcome = time::timeout(ATTEMPT + Duration::from_secs(1), call).await.expect("no call outlives its limit");
    let end = match outcome {
        Ok(answer) => End::Answer(answer.body().len()),
        Err(Failure::Elapsed(elapsed)) => End::Elapsed(elapsed),
        Err(failure) => match elapsed(&failure) {
            Some(elapsed) => End::Elapsed(elapsed),
            None => End::Class(failure.verdict().class(), failure.verdict().health()),
        },
    };
    drop(service);
    assert!(server.idle(Duration::from_secs(2)).await, "{trick:?}: {} connections are still open", server.open());
    drop(server);
    for _ in 0..200 {
        if Handle::current().metrics().num_alive_tasks() == tasks {
            return Ok(end);
        }
        time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{trick:?}: {} tasks, where there were {tasks}", Handle::current().metrics().num_alive_tasks());
}

fn struck(end: End, scope: Scope, limit: Duration, phase: Phase) {
    let End::Elapsed(elapsed) = end else { panic!("{end:?}") };
    assert_eq!((elapsed.scope(), elapsed.limit(), elapsed.phase()), (scope, limit, phase));
    assert_eq!(elapsed.verdict().class(), Class::Transient);
}

fn class(end: End, class: Class, health: Health) {
    assert!(matches!(end, End::Class(found, says) if found == class && says == health), "{end:?}");
}

#[tokio::test]
async fn a_good_answer_is_taken_even_if_it_takes_its_time() -> Result<(), BoxError> {
    for trick in [Trick::Answers, Trick::AnswersAfter(IDLE + IDLE / 3)] {
        assert!(matches!(attempt(trick).await?, End::Answer(1..)));
    }
    Ok(())
}

#[tokio::test]
async fn a_connect_that_hangs() -> Result<(), BoxError> {
    struck(attempt(Trick::NeverAcceptsSyn).await?, Scope::Connect, CONNECT, Phase::Connect);
    Ok(())
}

#[tokio::test]
async fn no_answer_at_all() -> Result<(), BoxError> {
    struck(attempt(Trick::NeverAnswers).await?, Scope::Attempt, ATTEMPT, Phase::Answer);
    Ok(())
}

#[tokio::test]
async fn a_head_and_then_silence() -> Result<(), BoxError> {
    // Its body is being computed, for all that anybody knows.
    struck(attempt(Trick::HeadThenSilence).await?, Scope::Attempt, ATTEMPT, Phase::Answer);
    Ok(())
}

#[tokio::test]
async fn a_byte_now_and_then() -> Result<(), BoxError> {
    let end = attempt(Trick::OneByteEvery(IDLE * 2 / 3)).await?;
    struck(end, Scope::Attempt, ATTEMPT, Phase::Answer);
    Ok(())
}

#[tokio::test]
async fn gaps_in_a_body() -> Result<(), BoxError> {
    const SHORT: &[Duration] = &[Duration::from_millis(150), Duration::from_millis(150)];
    const LONG: &[Duration] = &[Duration::from_millis(150), Duration::from_millis(450)];
    assert!(matches!(attempt(Trick::Gaps(SHORT)).await?, End::Answer(1..)));
    struck(attempt(Trick::Gaps(LONG)).await?, Scope::Idle, IDLE, Phase::Body);
    Ok(())
}

#[tokio::test]
async fn connections_that_break() -> Result<(), BoxError> {
    for trick in [Trick::ResetBeforeAnswer, Trick::FinBeforeAnswer, Trick::ResetInBody, Trick::FinInBody] {
        class(attempt(trick).await?, Class::Transient, Health::Failure);
    }
    Ok(())
}

#[tokio::test]
async fn bodies_beyond_the_limit() -> Result<(), BoxError> {
    for trick in [Trick::EndlessBody, Trick::HugeBody(LIMIT as u64 + 1), Trick::HugeBody(u64::MAX / 2)] {
        class(attempt(trick).await?, Class::Permanent, Health::Neutral);
    }
    assert!(matches!(attempt(Trick::HugeBody(LIMIT as u64)).await?, End::Answer(LIMIT)));
    Ok(())
}

#[tokio::test]
async fn heads_without_end() -> Result<(), BoxError> {
    class(attempt(Trick::EndlessHead).await?, Class::Malformed, Health::Neutral);
    struck(attempt(Trick::EndlessContinue).await?, Scope::Attempt, ATTEMPT, Phase::Answer);
    Ok(())
}

#[tokio::test]
async fn a_call_that_is_dropped_takes_its_connection_along() -> Result<(), BoxError> {
    let tasks = Handle::current().metrics().num_alive_tasks();
    let server = HostileServer::start(Trick::HeadThenSilence).await?;
    for patience in [1, 30, 100].map(Duration::from_millis) {
        let client = Client::builder().no_proxy().build::<Full<Bytes>>();
        let service = ServiceBuilder::new().layer(ClassifyLayer::new(Providers)).layer(CollectLayer::new(LIMIT));
        let request = Request::post(server.url()).body(Full::new(Bytes::new()))?;
        time::timeout(patience, service.service(client).oneshot(request)).await.expect_err("no answer comes");
    }
    assert!(server.idle(Duration::from_secs(2)).await);
    drop(server);
    for _ in 0..200 {
        if Handle::current().metrics().num_alive_tasks() == tasks {
            return Ok(());
        }
        time::sleep(Duration::from_millis(10)).await;
    }
    panic!("tasks are left");
}
