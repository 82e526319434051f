//! A job that can wait does, inside its deadline, and waiting costs it nothing.

use tower::service_fn;
use trysail::{
    Backoff, BreakerLayer, Budget, Circuit, EmbedRequest, Preset, RetryLayer, Trip,
    retry::{BudgetSettings, Jitter, Stop},
};

use super::*;

fn patient(retries: u32, budget: &Budget, within: Duration) -> RetryLayer {
    let backoff = Backoff::exponential(100 * MS).jitter(Jitter::None).retries(retries);
    RetryLayer::new(backoff).seed(6).budget(budget.clone()).patient().within(within)
}

/// A budget with room for one retry, which is gone.
fn spent() -> Budget {
    let budget = Budget::new(BudgetSettings::default().floor(1));
    budget.withdraw(Verdict::TRANSIENT, Instant::now()).expect("there is one");
    budget
}

#[tokio::test(start_paused = true)]
async fn waiting_for_the_budget_costs_no_attempt() {
    // Two retries, the first of which goes as a probe once no call has begun for 5 s, and the second a second later.
    let run = run(patient(2, &spent(), 60 * SECOND), [Verdict::TRANSIENT; 4]).await;
    assert_eq!((run.wire, run.report.stop()), (3, Some(Stop::Attempts)));
    assert!((6 * SECOND..8 * SECOND).contains(&run.took), "{:?}", run.took);
    assert_eq!(run.report.slept().as_secs(), run.took.as_secs());
}

#[tokio::test(start_paused = true)]
async fn waiting_for_the_budget_ends_inside_the_deadline_with_the_servers_error() {
    for within in 1..6 {
        let within = within * SECOND;
        let run = run(patient(2, &spent(), within), [Verdict::MALFORMED]).await;
        assert_eq!((run.wire, run.outcome, run.report.stop()), (1, Err(Verdict::MALFORMED), Some(Stop::Budget)));
        assert!(run.took <= within && run.took + 426 * MS >= within, "{:?} of {within:?}", run.took);
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_circuit_ends_inside_the_deadline_and_costs_nothing() {
    for within in 1..40 {
        let within = within * SECOND;
        let circuit = Circuit::new(Trip::default());
        circuit.force_open();
        let budget = Budget::default();
        let server = service_fn(|(): ()| async { Ok::<(), Failure<(), Verdict>>(()) });
        let breaker = BreakerLayer::new(circuit.clone()).layer(server);
        let began = Instant::now();
        let (outcome, report) = report(patient(2, &budget, within).layer(breaker).oneshot(())).await;
        assert!(matches!(outcome, Err(Failure::Open(_))), "nobody else has said anything");
        assert_eq!((report.attempts(), report.stop()), (report.refusals(), Some(Stop::Deadline)));
        // A circuit opened by hand names 5 s, to which up to half is added.
        assert!(began.elapsed() <= within && began.elapsed() + 7_551 * MS >= within, "{:?}", began.elapsed());
        assert_eq!(budget.snapshot().retries, 3.0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_bulk_call_waits_for_its_circuit_and_then_goes_on() {
    let preset = Preset::bulk();
    preset.circuit().force_open();
    let server = service_fn(|_: EmbedRequest| async { Ok::<_, Judged>("vector") });
    let call = tokio::spawn(report(preset.layer(server).oneshot(EmbedRequest::new("model", ["text"]))));
    tokio::time::sleep(100 * SECOND).await;
    preset.circuit().reset();
    let (outcome, report) = call.await.expect("no panic");
    assert_eq!(outcome.expect("the circuit is closed"), "vector");
    assert_eq!(report.attempts(), report.refusals() + 1);
    assert!((100 * SECOND..109 * SECOND).contains(&report.slept()), "{:?}", report.slept());
}
