//! The presets: what one call, and a run of calls, sends to a server that is in trouble.

use std::{future::pending, time::Duration};

use bytes::Bytes;
use http::Response;
use tokio::time::{self, Instant};
use tower::{Layer, Service, ServiceExt};
use trysail::{
    Backoff, CircuitSettings, Class, Classified, Deadline, Elapsed, EmbedRequest, Failure, Open, Preset, Trip, Verdict,
    breaker::State,
    report,
    retry::{Jitter, Stop},
    verdict::Phase,
};

const SECOND: Duration = Duration::from_secs(1);
type Judged = Failure<Response<Bytes>, std::io::Error>;

fn request() -> EmbedRequest {
    EmbedRequest::new("model", ["text"])
}

/// A service that fails with `verdict` each time, and counts.
fn failing(verdict: Verdict) -> impl Service<EmbedRequest, Response = (), Error = Judged, Future: Send> + Clone {
    tower::service_fn(move |_| async move {
        Err::<(), _>(Failure::unanswered(verdict, std::io::ErrorKind::ConnectionReset.into()))
    })
}

#[tokio::test(start_paused = true)]
async fn an_interactive_call_is_tried_four_times_and_cannot_open_the_circuit_alone() {
    let preset = Preset::interactive();
    let (outcome, report) = report(preset.layer(failing(Verdict::TRANSIENT)).oneshot(request())).await;
    assert_eq!(outcome.expect_err("it fails").verdict(), Verdict::TRANSIENT);
    assert_eq!((report.attempts(), report.stop()), (4, Some(Stop::Attempts)));
    assert!(report.slept() <= 700 * SECOND / 1000);
    assert_eq!(preset.circuit().state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn the_backoff_of_a_preset_can_be_another_one() {
    let backoff = Backoff::constant(SECOND).jitter(Jitter::None).retries(99);
    let preset = Preset::interactive().backoff(backoff);
    let (_, report) = report(preset.layer(failing(Verdict::TRANSIENT)).oneshot(request())).await;
    assert_eq!((report.attempts(), report.slept()), (4, 3 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn one_poisoned_bulk_call_cannot_open_the_circuit() {
    let preset = Preset::bulk();
    let (_, report) = report(preset.layer(failing(Verdict::TRANSIENT)).oneshot(request())).await;
    assert_eq!(report.attempts(), 21);
    assert_eq!(preset.circuit().snapshot().opened(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_interactive_call_is_refused_at_once_by_an_open_circuit() {
    let preset = Preset::interactive();
    preset.circuit().force_open();
    let began = Instant::now();
    let (outcome, report) = report(preset.layer(failing(Verdict::TRANSIENT)).oneshot(request())).await;
    assert!(matches!(outcome, Err(Failure::Open(_))));
    assert_eq!((report.attempts(), report.refusals(), report.stop()), (1, 1, Some(Stop::Refused)));
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_bulk_call_outlives_an_outage() {
    let began = Instant::now();
    let service = tower::service_fn(move |_| async move {
        time::sleep(SECOND / 10).await;
        match began.elapsed() {
            up if up < 90 * SECOND => {
                Err(Judged::unanswered(Verdict::TRANSIENT, std::io::ErrorKind::ConnectionRefused.into()))
            }
            _ => Ok("vector"),
        }
    });
    let preset = Preset::bulk();
    let calls = (0..4).map(|_| tokio::spawn(report(preset.layer(service).oneshot(request()))));
    for call in calls.collect::<Vec<_>>() {
        let (outcome, report) = call.await.expect("no panic");
        assert_eq!(outcome.expect("the server came back"), "vector");
        assert!(report.attempts() - report.refusals() <= 21);
    }
    assert!(began.elapsed() < 130 * SECOND, "{:?}", began.elapsed());
    assert_eq!(preset.circuit().state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn every_call_to_a_server_that_hangs_ends() {
    let hanging = tower::service_fn(|_| pending::<Result<(), Judged>>());
    for (preset, most) in [(Preset::interactive(), 60), (Preset::bulk(), 600)] {
        let began = Instant::now();
        let (outcome, report) = report(preset.layer(hanging).oneshot(request())).await;
        outcome.expect_err("a limit strikes");
        assert!(began.elapsed() <= most * SECOND, "{:?}", began.elapsed());
        assert_eq!(report.last().expect("attempts failed").class(), Class::Transient);
    }
}

#[tokio::test(start_paused = true)]
async fn the_requests_own_deadline_ends_it_without_blaming_the_server() {
    let hanging = tower::service_fn(|_| pending::<Result<(), Judged>>());
    let preset = Preset::interactive();
    for _ in 0..100 {
        let began = Instant::now();
        let outcome = preset.layer(hanging).oneshot(request().deadline(Deadline::within(SECOND / 2))).await;
        let Err(Failure::Elapsed(elapsed)) = outcome else { panic!("{outcome:?}") };
        assert_eq!((elapsed.limit(), elapsed.verdict()), (SECOND / 2, Verdict::REFUSED));
        assert_eq!(began.elapsed(), SECOND / 2);
    }
    assert_eq!(preset.circuit().snapshot().streak(), 0);

    let late = preset.layer(hanging).oneshot(request().deadline(Deadline::within(Duration::ZERO))).await;
    let Err(Failure::Elapsed(elapsed)) = late else { panic!("{late:?}") };
    assert_eq!(elapsed.phase(), Phase::Refused);
}

#[test]
fn facts_are_small() {
    assert_eq!(size_of::<Verdict>(), 8);
    assert!(size_of::<Elapsed>() <= 24 && size_of::<Open>() <= 24);
}

#[tokio::test(start_paused = true)]
async fn what_is_set_of_the_circuit_stays_set_and_is_widened_to_fit() {
    let service = || failing(Verdict::TRANSIENT);
    let preset = Preset::interactive();
    let _ = preset.layer(service());
    let fits = CircuitSettings::default().abandoned_after(SECOND).lease(21 * SECOND);
    assert_eq!(preset.circuit().settings(), fits);
    let own = fits.lease(40 * SECOND).probes(2, 2).trip(Trip::consecutive(9).or_slow(9 * SECOND, 0.5));
    preset.circuit().set(own);
    let _ = preset.layer(service());
    assert_eq!(preset.circuit().settings(), own);
    let circuit = preset.circuit().clone();
    let _ = preset.attempt(2 * SECOND).retries(20).layer(service());
    assert_eq!(circuit.settings(), own.trip(Trip::consecutive(22).or_slow(2 * SECOND, 0.5)));
}

#[tokio::test(start_paused = true)]
async fn a_preset_says_what_its_circuit_is_called() {
    assert_eq!(Preset::interactive().circuit().name(), None);
    let preset = Preset::bulk().named("tei");
    assert_eq!(
        (preset.circuit().name(), preset.circuit().settings()),
        (Some("tei"), Preset::bulk().circuit().settings())
    );
}
