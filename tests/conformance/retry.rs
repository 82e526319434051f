//! When a call is given up, what it waits for, and what reaches the wire.

use std::{
    future::Future,
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use serde::Deserialize;
use tokio::time;
use tokio_test::{assert_pending, task};
use tower::{Service, service_fn};
use trysail::{
    Backoff, BreakerLayer, Budget, Circuit, EmbedRequest, Preset, RetryLayer, Trip,
    retry::{BudgetSettings, Jitter, Stop, WaitFor},
    verdict::Random,
};

use super::*;

fn exact() -> RetryLayer {
    RetryLayer::new(Backoff::exponential(100 * MS).jitter(Jitter::None)).seed(SEED)
}

const SEED: u64 = 5;

/// What the layer's own source draws first, up to `most`.
fn first_draw(most: Duration) -> Duration {
    Duration::from_nanos(Random::seeded(SEED).below(most.as_nanos() as u64))
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_does_not_fit_into_the_time_left_ends_the_call_at_once() {
    #[derive(Deserialize)]
    struct Table {
        rows: Vec<(u32, u32, u32, bool, Option<u32>)>,
    }
    for (remaining, delay, least, retry, returns_after) in table::<Table>("deadline-aware-retry").rows {
        let layer = RetryLayer::new([delay * MS]).within(remaining * MS).least(least * MS);
        let run = run(layer, [Verdict::TRANSIENT, Verdict::SUCCESS]).await;
        assert_eq!((run.wire == 2, run.outcome.is_ok()), (retry, retry), "{remaining} {delay} {least}");
        assert_eq!(run.took, returns_after.unwrap_or(delay) * MS);
        assert_eq!(run.report.stop(), (!retry).then_some(Stop::Deadline));
    }
}

#[tokio::test(start_paused = true)]
async fn retries_stop_at_the_first_refusal_and_the_servers_last_error_is_the_answer() {
    #[derive(Deserialize)]
    struct Table {
        max_attempts: u32,
        threshold: u32,
        ours: Ours,
    }
    #[derive(Deserialize)]
    struct Ours {
        wire: u32,
        rejections: u32,
        net_charges: u32,
        error: String,
    }
    let Table { max_attempts, threshold, ours } = table("retry-and-breaker");
    assert_eq!(ours.error, "the last server error; reason: circuit open");
    let server =
        Scripted::new((1..=max_attempts).map(|nth| {
            Err::<(), _>(Failure::<(), _>::unanswered(Verdict::TRANSIENT, io::Error::other(nth.to_string())))
        }));
    let budget = Budget::new(BudgetSettings::default().floor(10));
    let breaker = BreakerLayer::new(Circuit::new(Trip::consecutive(threshold))).layer(server.clone());
    let retries = Backoff::exponential(100 * MS).jitter(Jitter::None).retries(max_attempts - 1);
    let call = RetryLayer::new(retries).budget(budget.clone()).layer(breaker).oneshot(());
    let (outcome, report) = report(call).await;
    assert!(matches!(outcome, Err(Failure::Service(last)) if last.error().to_string() == "3"));
    assert_eq!((server.calls() as u32, report.refusals()), (ours.wire, ours.rejections));
    assert_eq!(report.stop(), Some(Stop::Refused));
    let charged = 10.0 - budget.snapshot().retries;
    // A tenth of a retry is free in these 0.7 s of waiting, at most.
    assert!((f64::from(ours.net_charges) - 0.1..=f64::from(ours.net_charges)).contains(&charged), "{charged}");
}

#[tokio::test(start_paused = true)]
async fn each_reason_to_stop_has_sent_and_slept_exactly_so_much() {
    use Verdict as V;
    let none = Duration::ZERO;
    let tenth = Budget::new(BudgetSettings::default().floor(1));
    for (stop, layer, script, wire, slept) in [
        (None, exact(), vec![V::SUCCESS], 1, none),
        (None, exact(), vec![V::TRANSIENT, V::MALFORMED, V::SUCCESS], 3, 300 * MS),
        (Some(Stop::Verdict), exact(), vec![V::PERMANENT], 1, none),
        (Some(Stop::Verdict), exact(), vec![V::TRANSIENT, V::AUTH], 2, 100 * MS),
        (Some(Stop::Attempts), exact(), vec![V::TRANSIENT; 4], 4, 700 * MS),
        (Some(Stop::Patience), exact(), vec![V::TRANSIENT.after(121 * SECOND)], 1, none),
        (
            Some(Stop::Budget),
            exact().budget(Budget::new(BudgetSettings::default().floor(0))),
            vec![V::TRANSIENT],
            1,
            none,
        ),
        (Some(Stop::Budget), exact().budget(tenth), vec![V::TRANSIENT; 2], 2, 100 * MS),
        (Some(Stop::Refused), exact(), vec![V::TRANSIENT, V::MALFORMED, open(SECOND)], 3, 300 * MS),
        (Some(Stop::Refused), exact(), vec![open(SECOND)], 1, none),
    ] {
        let last = script.iter().rev().find(|said| said.class() != Class::Refused).copied().unwrap_or(open(SECOND));
        let run = run(layer, script).await;
        assert_eq!((run.report.stop(), run.wire, run.report.slept(), run.took), (stop, wire, slept, slept));
        assert_eq!(run.outcome, if stop.is_some() { Err(last) } else { Ok(()) }, "the server's last word");
    }
    let run_once = run(exact().replay(|(): &()| None), [V::TRANSIENT]).await;
    assert_eq!((run_once.report.stop(), run_once.wire, run_once.took), (Some(Stop::NotReplayable), 1, none));
    let late = run(exact().within(349 * MS), vec![V::TRANSIENT; 3]).await;
    assert_eq!((late.report.stop(), late.wire, late.took), (Some(Stop::Deadline), 2, 100 * MS));
    let in_time = run(exact().within(350 * MS), vec![V::TRANSIENT; 3]).await;
    assert_eq!((in_time.report.stop(), in_time.wire, in_time.took), (Some(Stop::Deadline), 3, 300 * MS));
}

#[tokio::test(start_paused = true)]
async fn each_wait_lasts_exactly_as_long_as_it_says() {
    let stretched = |asked: Duration| asked + first_draw((asked / 2).min(5 * SECOND));
    for (what, first, expected) in [
        (WaitFor::Backoff, Verdict::TRANSIENT, 100 * MS),
        (WaitFor::Backoff, Verdict::THROTTLED, stretched(SECOND)),
        (WaitFor::Backoff, Verdict::TRANSIENT.unsent(), Duration::ZERO),
        (WaitFor::Hint, Verdict::TRANSIENT.after(2 * SECOND), stretched(2 * SECOND)),
        (WaitFor::Hint, Verdict::THROTTLED.after(20 * SECOND), stretched(20 * SECOND)),
        (WaitFor::WarmUp, Verdict::WARMING, SECOND / 2 + first_draw(SECOND / 2)),
        (WaitFor::Circuit, open(7 * SECOND), 7 * SECOND + first_draw(SECOND)),
    ] {
        let server = Scripted::new([Err(first), Ok(())]);
        let mut service = exact().patient().within(60 * SECOND).layer(server.clone());
        let mut call = pin!(report(service.call(())));
        let began = Instant::now();
        if !expected.is_zero() {
            assert_pending!(task::spawn(()).enter(|cx, _| call.as_mut().poll(cx)));
            let waiting = call.so_far().waiting().expect("it waits");
            assert_eq!((waiting.what(), waiting.until() - began), (what, expected), "{first}");
            assert_eq!(server.calls(), 1);
        }
        let (outcome, report) = call.await;
        assert_eq!((outcome, server.calls(), report.slept()), (Ok(()), 2, expected));
        // Tokio's timers have a resolution of a millisecond.
        assert!((expected..=expected + MS).contains(&began.elapsed()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_the_budget_ends_as_soon_as_it_can_pay() {
    let budget = Budget::new(BudgetSettings::default().floor(1));
    budget.withdraw(Verdict::TRANSIENT, Instant::now()).expect("there is one");
    let server = Scripted::new([Err(Verdict::TRANSIENT), Ok(())]);
    let mut service = exact().budget(budget).patient().within(60 * SECOND).layer(server.clone());
    let mut call = pin!(report(service.call(())));
    let began = Instant::now();
    let mut waker = task::spawn(());
    assert_pending!(waker.enter(|cx, _| call.as_mut().poll(cx)));
    let waiting = call.so_far().waiting().expect("it waits");
    assert_eq!((waiting.what(), waiting.until() - began), (WaitFor::Budget, SECOND / 4 + first_draw(SECOND / 8)));
    let (outcome, report) = call.await;
    assert_eq!((outcome, report.attempts()), (Ok(()), 2));
    assert!((5 * SECOND..6 * SECOND).contains(&began.elapsed()), "while no call begins, it goes as a probe");
}

/// Sends 1,000 calls to a server that always fails; gives how many requests it got, and in what time.
async fn storm(preset: &Preset, a_second: f64) -> (u32, Duration) {
    let wire = Arc::new(AtomicU32::new(0));
    let server = service_fn({
        let wire = Arc::clone(&wire);
        move |_: EmbedRequest| {
            wire.fetch_add(1, Relaxed);
            async {
                time::sleep(20 * MS).await;
                Err::<(), _>(Judged::Response {
                    verdict: Verdict::TRANSIENT,
                    status: None,
                    response: Default::default(),
                })
            }
        }
    });
    let began = Instant::now();
    let calls: Vec<_> = (0..CALLS)
        .map(|nth| {
            let due = began + Duration::from_secs_f64(f64::from(nth) / a_second);
            let service = preset.layer(server.clone());
            tokio::spawn(async move {
                time::sleep_until(due).await;
                service.oneshot(EmbedRequest::new("model", ["text"])).await
            })
        })
        .collect();
    for call in calls {
        call.await.expect("no panic").expect_err("the server fails");
    }
    (wire.load(Relaxed), began.elapsed())
}

const CALLS: u32 = 1_000;

#[tokio::test(start_paused = true)]
async fn the_assembled_preset_adds_no_more_than_its_share_to_a_server_that_fails() {
    for a_second in [1.0, 10.0, 100.0, 1_000.0] {
        let (with_circuit, _) = storm(&Preset::interactive(), a_second).await;
        let preset = Preset::interactive();
        // So that nothing but the budget holds the retries back.
        preset.circuit().disable();
        let (wire, took) = storm(&preset, a_second).await;
        println!("{CALLS} failing calls, {a_second} a second: {wire} requests, {with_circuit} with the circuit");
        assert!(with_circuit <= wire && wire <= CALLS + CALLS / 5 + 3);
        assert!(wire <= CALLS + 3 + (took.as_secs() / 14) as u32 + 1, "the floor, and one in 14 s: {wire}");
        assert!(wire >= CALLS + 3, "there are retries at all");
    }
}
