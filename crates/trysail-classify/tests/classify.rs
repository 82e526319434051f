//! What a judgement does to an outcome.

use tokio_test::{assert_ready_err, assert_ready_ok, task};
use tower_test::{assert_request_eq, mock};
use trysail_classify::{Classify, ClassifyLayer};
use trysail_core::{Class, Classified, Failure, Verdict};

type Error = Box<dyn std::error::Error + Send + Sync>;
type Judge = fn(Result<&u16, &Error>) -> Verdict;
type Spawned = mock::Spawn<Classify<mock::Mock<&'static str, u16>, Judge>>;

fn by_status(outcome: Result<&u16, &Error>) -> Verdict {
    match outcome {
        Ok(200) => Verdict::SUCCESS,
        Ok(_) => Verdict::PERMANENT,
        Err(_) => Verdict::TRANSIENT,
    }
}

fn spawn() -> (Spawned, mock::Handle<&'static str, u16>) {
    mock::spawn_layer(ClassifyLayer::new(by_status as Judge))
}

#[tokio::test]
async fn a_success_comes_through() {
    let (mut service, mut handle) = spawn();
    assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call("a"));
    assert_request_eq!(handle, "a").send_response(200);
    assert_eq!(assert_ready_ok!(call.poll()), 200);
}

#[tokio::test]
async fn an_answer_that_is_no_success_is_kept_in_the_failure() {
    let (mut service, mut handle) = spawn();
    assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call("a"));
    assert_request_eq!(handle, "a").send_response(404);
    let failure = assert_ready_err!(call.poll());
    assert!(matches!(failure, Failure::Response { response: 404, verdict: Verdict::PERMANENT, .. }), "{failure:?}");
}

#[tokio::test]
async fn an_error_is_kept_in_the_failure() {
    let (mut service, mut handle) = spawn();
    assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call("a"));
    assert_request_eq!(handle, "a").send_error("reset");
    let Failure::Service(unanswered) = assert_ready_err!(call.poll()) else { panic!("no service error") };
    assert_eq!(
        (unanswered.verdict().class(), unanswered.into_cause().to_string().as_str()),
        (Class::Transient, "reset")
    );
}

#[tokio::test]
async fn an_error_of_readiness_is_judged_too() {
    let (mut service, mut handle) = spawn();
    handle.send_error("gone");
    assert_eq!(assert_ready_err!(service.poll_ready()).verdict(), Verdict::TRANSIENT);
}
