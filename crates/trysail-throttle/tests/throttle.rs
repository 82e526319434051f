//! The layer as its callers see it, on a clock that stands still.

use std::{
    future::{pending, ready},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    task::JoinSet,
    time::{self, Instant},
};
use tokio_test::{assert_pending, assert_ready, assert_ready_err, assert_ready_ok, task};
use tower::{BoxError, Layer, Service, ServiceExt, service_fn};
use trysail_core::{Class, Classified, Elapsed, Held, Hold, Scope, Verdict};
use trysail_throttle::{Pace, PaceSettings, Paces, Rate, Throttle, ThrottleLayer};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

/// When which call was sent.
type Sent = Arc<Mutex<Vec<(Instant, u32)>>>;

/// A service that answers at once, and keeps what it was sent.
fn recording(sent: &Sent) -> impl Service<u32, Response = u32, Error = BoxError, Future: Send> + Clone + Send + use<> {
    let sent = Arc::clone(sent);
    service_fn(move |call: u32| {
        sent.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), call));
        ready(Ok(call))
    })
}

/// A service that answers everything with `verdict`.
fn failing(verdict: Verdict) -> impl Service<u32, Response = u32, Error = BoxError, Future: Send> + Clone {
    service_fn(move |_: u32| ready(Err(BoxError::from(verdict))))
}

async fn fail(pace: &Pace, verdict: Verdict) -> BoxError {
    ThrottleLayer::new(pace.clone()).layer(failing(verdict)).oneshot(0).await.expect_err("it fails")
}

async fn pass(pace: &Pace) -> Result<u32, BoxError> {
    ThrottleLayer::new(pace.clone()).layer(recording(&Sent::default())).oneshot(0).await
}

fn held(error: &BoxError) -> Held {
    *error.downcast_ref().expect("it was held back")
}

fn calls(sent: &Sent) -> Vec<u32> {
    sent.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(_, call)| *call).collect()
}

#[tokio::test(start_paused = true)]
async fn calls_go_at_the_rate_in_the_order_in_which_they_came() {
    let (sent, begin) = (Sent::default(), Instant::now());
    let pace = Pace::new(Rate::per_second(10).burst(1));
    let service = ThrottleLayer::new(pace.clone()).layer(recording(&sent));
    let mut all = JoinSet::new();
    for call in 0..50 {
        let mut service = service.clone();
        let call = service.call(call);
        all.spawn(call);
    }
    assert_eq!(pace.snapshot().waiting(), 49);
    while let Some(outcome) = all.join_next().await {
        outcome.expect("no panic").expect("its turn comes");
    }
    assert_eq!(calls(&sent), (0..50).collect::<Vec<_>>());
    for (at, call) in sent.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        let (waited, due) = (*at - begin, 100 * MS * *call);
        assert!(waited >= due && waited <= due + 2 * MS, "{call}: {waited:?}");
    }
    assert_eq!((pace.snapshot().waiting(), pace.snapshot().waited()), (0, 49));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_would_wait_for_too_long_is_refused_at_once_with_the_time_to_come_back() {
    let pace = Pace::new(Rate::per_minute(1));
    let layer = ThrottleLayer::new(pace.clone()).most(90 * SECOND);
    let mut service = layer.layer(recording(&Sent::default()));
    service.call(0).await.expect("there is one");
    let mut second = task::spawn(service.call(1));
    assert_pending!(second.poll());
    let mut third = task::spawn(service.call(2));
    let error = assert_ready_err!(third.poll());
    assert_eq!((held(&error).hold(), held(&error).retry_after()), (Hold::Rate, 120 * SECOND));
    assert_eq!((error.verdict().class(), error.verdict().retry_after()), (Class::Refused, Some(120 * SECOND)));
    time::advance(60 * SECOND + 2 * MS).await;
    assert!(second.is_woken());
    assert_ready_ok!(second.poll());
    assert_eq!(pace.snapshot().refused(Hold::Rate), 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_no_longer_than_it_has_left() {
    let pace = Pace::new(Rate::per_second(1));
    let layer = ThrottleLayer::new(pace).most(|left: &Duration| *left);
    let mut service = layer.layer(service_fn(|_: Duration| ready(Ok::<_, BoxError>(()))));
    service.call(SECOND).await.expect("there is one");
    service.call(Duration::ZERO).await.expect_err("it has no time");
    service.call(900 * MS).await.expect_err("it has not enough");
    service.call(SECOND).await.expect("its turn comes in time");
}

#[tokio::test(start_paused = true)]
async fn the_queue_is_bounded() {
    let pace = Pace::new(PaceSettings::from(Rate::per_second(1)).queue(2));
    let mut service = ThrottleLayer::new(pace.clone()).layer(recording(&Sent::default()));
    service.call(0).await.expect("there is one");
    let waiting = [service.call(1), service.call(2)];
    let error = service.call(3).await.expect_err("two wait already");
    assert_eq!(held(&error).hold(), Hold::Queue);
    drop(waiting);
    service.call(4).await.expect("nobody waits any more");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_given_up_loses_nothing_and_holds_nobody() {
    // Given up before its first poll, while it waits, once it may go without knowing, and once it was sent.
    for polls in 0..4 {
        let pace = Pace::new(Rate::per_second(1));
        let sent = Sent::default();
        let layer = ThrottleLayer::new(pace.clone());
        let mut service = layer.layer(recording(&sent));
        service.call(0).await.expect("there is one");
        let mut given_up = task::spawn(service.call(1));
        let mut next = task::spawn(service.call(2));
        assert_pending!(next.poll());
        if polls > 0 {
            assert_pending!(given_up.poll());
        }
        if polls > 1 {
            time::advance(SECOND + 2 * MS).await;
            assert!(given_up.is_woken());
            assert_pending!(next.poll());
        }
        if polls > 2 {
            assert_ready_ok!(given_up.poll());
        }
        drop(given_up);
        let left = if polls > 2 { SECOND } else { Duration::ZERO };
        time::advance(left + if polls > 1 { Duration::ZERO } else { SECOND } + 2 * MS).await;
        assert!(next.is_woken(), "{polls}");
        assert_ready_ok!(next.poll(), "{polls}");
        assert_eq!(pace.snapshot().waiting(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_nobody_polls_holds_nobody_behind_it() {
    let pace = Pace::new(Rate::per_second(1));
    let mut service = ThrottleLayer::new(pace).layer(recording(&Sent::default()));
    service.call(0).await.expect("there is one");
    let _unpolled = service.call(1);
    let begin = Instant::now();
    service.call(2).await.expect("its turn comes");
    assert!(begin.elapsed() <= 3 * SECOND + 2 * MS);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_below_gives_back_what_it_took() {
    let refusals =
        [Verdict::REFUSED, Verdict::TRANSIENT.unsent(), Elapsed::new(Scope::Ready, SECOND).unsent().verdict()];
    for verdict in refusals {
        let pace = Pace::new(Rate::per_minute(1));
        for _ in 0..3 {
            assert_eq!(fail(&pace, verdict).await.verdict(), verdict, "it was let through");
        }
        let begin = Instant::now();
        pass(&pace).await.expect("nothing was used");
        assert_eq!(begin.elapsed(), Duration::ZERO);
    }
    let pace = Pace::new(Rate::new(1, 120 * SECOND));
    fail(&pace, Verdict::TRANSIENT).await;
    assert_eq!(held(&fail(&pace, Verdict::TRANSIENT).await).hold(), Hold::Rate, "this was sent");
}

#[tokio::test(start_paused = true)]
async fn what_is_given_back_goes_to_who_waits() {
    let pace = Pace::new(Rate::per_minute(1));
    let layer = ThrottleLayer::new(pace);
    let (fate, told) = tokio::sync::oneshot::channel::<()>();
    let told = Arc::new(Mutex::new(Some(told)));
    let refused = service_fn(move |_: u32| {
        let told = told.lock().unwrap_or_else(PoisonError::into_inner).take().expect("one call");
        async move {
            let _ = told.await;
            Err::<u32, BoxError>(Verdict::REFUSED.into())
        }
    });
    let mut first = task::spawn(layer.layer(refused).call(0));
    assert_pending!(first.poll());
    let mut second = task::spawn(layer.layer(recording(&Sent::default())).call(1));
    assert_pending!(second.poll());
    fate.send(()).expect("somebody waits for it");
    assert_ready_err!(first.poll());
    assert!(second.is_woken());
    assert_ready_ok!(second.poll());
}

#[tokio::test(start_paused = true)]
async fn what_costs_more_than_there_ever_is_goes_into_debt() {
    let pace = Pace::new(PaceSettings::new().cost(Rate::per_second(10).burst(10)));
    let mut service =
        ThrottleLayer::new(pace.clone()).cost(|call: &u32| u64::from(*call)).layer(recording(&Sent::default()));
    let begin = Instant::now();
    service.call(35).await.expect("the bucket is full");
    assert_eq!((begin.elapsed(), pace.snapshot().cost()), (Duration::ZERO, Some(-25.0)));
    service.call(5).await.expect("the debt is paid");
    let waited = begin.elapsed();
    assert!(waited >= 3 * SECOND && waited <= 3 * SECOND + 2 * MS, "{waited:?}");
    service.call(25).await.expect("nothing waits for ever");
    let waited = begin.elapsed();
    assert!(waited >= 4 * SECOND && waited <= 4 * SECOND + 4 * MS, "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_rate_can_be_changed_while_calls_wait() {
    let pace = Pace::new(Rate::per_minute(1));
    let mut service = ThrottleLayer::new(pace.clone()).most(300 * SECOND).layer(recording(&Sent::default()));
    service.call(0).await.expect("there is one");
    let mut waiting = [task::spawn(service.call(1)), task::spawn(service.call(2))];
    assert_pending!(waiting[0].poll());
    pace.update(|settings| settings.requests(Rate::per_second(1)));
    assert!(waiting[0].is_woken(), "it may go sooner");
    assert_pending!(waiting[0].poll());
    time::advance(SECOND + 2 * MS).await;
    assert_ready_ok!(waiting[0].poll());
    pace.update(PaceSettings::unlimited);
    assert_ready_ok!(waiting[1].poll());

    let pace = Pace::new(Rate::per_second(1));
    let mut service = ThrottleLayer::new(pace.clone()).most(30 * SECOND).layer(recording(&Sent::default()));
    service.call(0).await.expect("there is one");
    let mut waiting = task::spawn(service.call(1));
    assert_pending!(waiting.poll());
    pace.update(|settings| settings.requests(Rate::per_minute(1)));
    assert!(waiting.is_woken(), "it would have to wait for too long now");
    assert_eq!(held(&assert_ready_err!(waiting.poll())).hold(), Hold::Rate);
}

#[tokio::test(start_paused = true)]
async fn each_key_has_a_pace_of_its_own() {
    let paces = Paces::new(10, || Pace::new(Rate::per_minute(1)));
    let mut service =
        ThrottleLayer::new(paces.keyed(|call: &u32| *call)).most(SECOND).layer(recording(&Sent::default()));
    for key in 0..3 {
        service.call(key).await.expect("its own pace has one");
        service.call(key).await.expect_err("and no other");
    }
    assert_eq!(paces.get(&1).name(), Some("1"));
}

#[tokio::test(start_paused = true)]
async fn a_hint_of_one_call_stops_them_all_and_they_come_back_slowly() {
    let pace = Pace::default();
    fail(&pace, Verdict::THROTTLED.after(20 * SECOND)).await;
    let (begin, sent) = (Instant::now(), Sent::default());
    let below = {
        let sent = Arc::clone(&sent);
        service_fn(move |call: u32| {
            sent.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), call));
            async move {
                time::sleep(SECOND).await;
                Ok::<_, BoxError>(call)
            }
        })
    };
    let mut service = ThrottleLayer::new(pace.clone()).layer(below);
    let mut all = JoinSet::new();
    (0..31).for_each(|call| drop(all.spawn(service.call(call))));
    time::sleep(19 * SECOND).await;
    assert!(sent.lock().unwrap_or_else(PoisonError::into_inner).is_empty());
    assert_eq!(pace.snapshot().paused(), Some(SECOND));
    while let Some(outcome) = all.join_next().await {
        outcome.expect("no panic").expect("its turn comes");
    }
    let mut rounds = [0; 6];
    for (at, _) in sent.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        rounds[(*at - begin - 20 * SECOND).as_millis() as usize / 1_000] += 1;
    }
    assert_eq!(rounds, [1, 2, 4, 8, 16, 0]);
    assert_eq!(calls(&sent), (0..31).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn who_was_let_through_and_has_not_gone_is_held_by_what_comes_meanwhile() {
    for (verdict, times) in [(Verdict::THROTTLED.after(20 * SECOND), 1), (Verdict::AUTH, 2)] {
        let (pace, sent) = (Pace::new(Rate::per_second(1).burst(1)), Sent::default());
        let calls = || ThrottleLayer::new(pace.clone()).layer(recording(&sent));
        calls().oneshot(0).await.expect("it is there");
        let mut waits = task::spawn(calls().oneshot(1));
        assert_pending!(waits.poll());
        time::advance(SECOND + MS).await;
        // Somebody else comes to ask, and sees that it is the turn of the first.
        let mut behind = task::spawn(calls().oneshot(2));
        assert_pending!(behind.poll());
        assert!(waits.is_woken());
        for _ in 0..times {
            let other = ThrottleLayer::new(pace.clone()).layer(failing(verdict));
            pace.update(PaceSettings::unlimited);
            let _ = other.oneshot(3).await;
        }
        let outcome = waits.poll();
        assert_eq!(sent.lock().unwrap_or_else(PoisonError::into_inner).len(), 1, "{verdict:?}: {outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_hint_keeps_calls_back_for_longer_than_is_set() {
    for (settings, most) in
        [(PaceSettings::new(), 600 * SECOND), (PaceSettings::new().most_pause(5 * SECOND), 5 * SECOND)]
    {
        let pace = Pace::new(settings);
        fail(&pace, Verdict::THROTTLED.after(86_400 * SECOND)).await;
        assert_eq!(pace.snapshot().paused(), Some(most));
        time::advance(most).await;
        pass(&pace).await.expect("one asks");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_after_a_pause_does_not_hold_the_others() {
    let pace = Pace::default();
    fail(&pace, Verdict::THROTTLED.after(SECOND)).await;
    let mut hanging = ThrottleLayer::new(pace.clone()).layer(service_fn(|_: u32| pending::<Result<u32, BoxError>>()));
    let mut hangs = task::spawn(hanging.call(0));
    assert_pending!(hangs.poll());
    time::advance(SECOND + 2 * MS).await;
    assert_pending!(hangs.poll());
    let begin = Instant::now();
    pass(&pace).await.expect("the round is over");
    assert!(begin.elapsed() <= 6 * SECOND, "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn who_cannot_wait_for_the_end_of_a_pause_is_refused_when_it_begins() {
    let pace = Pace::new(Rate::per_second(1));
    let mut service = ThrottleLayer::new(pace.clone()).most(10 * SECOND).layer(recording(&Sent::default()));
    service.call(0).await.expect("there is one");
    let mut waiting = task::spawn(service.call(1));
    assert_pending!(waiting.poll());
    let mut throttled = ThrottleLayer::new(pace.clone()).layer(failing(Verdict::THROTTLED.after(20 * SECOND)));
    let mut throttled = task::spawn(throttled.call(2));
    assert_pending!(throttled.poll());
    time::advance(SECOND + 2 * MS).await;
    assert_ready_ok!(waiting.poll());
    let mut waiting = task::spawn(service.call(3));
    assert_pending!(waiting.poll());
    time::advance(SECOND + 2 * MS).await;
    assert_ready_err!(throttled.poll());
    assert!(waiting.is_woken());
    let error = assert_ready!(waiting.poll()).expect_err("it has not that much time");
    assert_eq!(held(&error).hold(), Hold::Pause);
    assert!(held(&error).retry_after() >= 20 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn two_verdicts_on_the_credential_keep_further_calls_from_it() {
    for verdict in [Verdict::AUTH, Verdict::QUOTA_EXHAUSTED] {
        let pace = Pace::default();
        fail(&pace, verdict).await;
        pass(&pace).await.expect("one costs itself");
        fail(&pace, verdict).await;
        assert_eq!(fail(&pace, verdict).await.verdict(), verdict, "with a success between, it was sent");
        let refused = fail(&pace, Verdict::TRANSIENT).await;
        assert_eq!((refused.verdict().class(), held(&refused).retry_after()), (verdict.class(), 30 * SECOND));
        assert_eq!(refused.verdict().health(), trysail_core::Health::Neutral);

        let mut expected = 30;
        for _ in 0..6 {
            time::advance(expected * SECOND).await;
            assert_eq!(fail(&pace, verdict).await.verdict(), verdict, "a probe is sent");
            expected = (expected * 2).min(600);
            assert_eq!(held(&fail(&pace, verdict).await).retry_after(), expected * SECOND);
        }
        time::advance(expected * SECOND).await;
        pass(&pace).await.expect("the probe succeeds");
        pass(&pace).await.expect("and so does the next call");
    }
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_calls_with_a_dead_key_are_a_handful_of_requests() {
    let pace = Pace::default();
    let sent = Sent::default();
    let count = Arc::clone(&sent);
    let service = service_fn(move |call: u32| {
        count.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), call));
        ready(Err::<u32, BoxError>(Verdict::AUTH.into()))
    });
    let mut service = ThrottleLayer::new(pace.clone()).layer(service);
    for call in 0..10_000 {
        service.call(call).await.expect_err("the key is dead");
        time::advance(10 * MS).await;
    }
    assert_eq!(calls(&sent).len(), 2 + 2, "100 s have room for probes after 30 s and 60 s more");
    pace.reset();
    pass(&pace).await.expect("the key was changed");
}

#[tokio::test(start_paused = true)]
async fn one_probe_at_a_time_asks_whether_the_key_is_alive_again() {
    let pace = Pace::default();
    fail(&pace, Verdict::AUTH).await;
    fail(&pace, Verdict::AUTH).await;
    time::advance(30 * SECOND).await;
    let mut hanging = ThrottleLayer::new(pace.clone()).layer(service_fn(|_: u32| pending::<Result<u32, BoxError>>()));
    let mut probe = task::spawn(hanging.call(0));
    assert_pending!(probe.poll());
    assert_eq!(held(&pass(&pace).await.expect_err("a probe is out")).retry_after(), SECOND);
    drop(probe);
    pass(&pace).await.expect("a dropped probe lets the next call probe");
}

#[tokio::test(start_paused = true)]
async fn without_a_hint_the_rate_that_a_server_takes_is_found() {
    // It refills by ten a second.
    let bucket = Pace::new(Rate::per_second(10).burst(10));
    let server = ThrottleLayer::new(bucket).most(Duration::ZERO).layer(recording(&Sent::default()));
    let counts = Arc::new(Mutex::new((0_u32, 0_u32)));
    let counted = Arc::clone(&counts);
    let server = service_fn(move |call: u32| {
        let (mut server, counts) = (server.clone(), Arc::clone(&counted));
        async move {
            time::sleep(100 * MS).await;
            let answer = server.call(call).await;
            let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
            match answer {
                Ok(call) => {
                    counts.0 += 1;
                    Ok(call)
                }
                Err(_) => {
                    counts.1 += 1;
                    Err(BoxError::from(Verdict::THROTTLED))
                }
            }
        }
    });
    let pace = Pace::default();
    let service = ThrottleLayer::new(pace.clone()).layer(server);
    let mut all = JoinSet::new();
    for caller in 0..16 {
        let mut service = service.clone();
        all.spawn(async move {
            let begin = Instant::now();
            while begin.elapsed() < 300 * SECOND {
                let _: Result<_, BoxError> = service.call(caller).await;
            }
        });
    }
    all.join_all().await;
    let (answered, throttled) = *counts.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(answered >= 2_700, "{answered} of 3000");
    assert!(f64::from(throttled) < 0.03 * f64::from(answered), "{throttled} of {answered}");
}

#[tokio::test(start_paused = true)]
async fn whenever_calls_are_given_up_nothing_is_lost_and_nobody_forgotten() {
    let settings = PaceSettings::from(Rate::per_second(10).burst(2)).in_flight(3);
    // After so many polls of all, each third one is given up.
    for given_up_at in 0..40 {
        let pace = Pace::new(settings);
        let below = service_fn(|call: u32| async move {
            time::sleep(250 * MS).await;
            Ok::<_, BoxError>(call)
        });
        let mut service = ThrottleLayer::new(pace.clone()).layer(below);
        let mut calls: Vec<_> = (0..12).map(|call| Some(task::spawn(service.call(call)))).collect();
        for polls in 0..200 {
            if polls == given_up_at {
                calls.iter_mut().step_by(3).for_each(|call| *call = None);
            }
            for call in &mut calls {
                if call.as_mut().is_some_and(|call| call.poll().is_ready()) {
                    *call = None;
                }
            }
            time::advance(25 * MS).await;
        }
        assert!(calls.iter().all(Option::is_none), "{given_up_at}: somebody is forgotten: {pace:?}");
        let snapshot = pace.snapshot();
        assert_eq!((snapshot.waiting(), snapshot.in_flight()), (0, Some(3)), "{given_up_at}");
        assert!(snapshot.requests().is_some_and(|left| (left - 2.0).abs() < 0.001), "{given_up_at}: {snapshot:?}");
        let _again: Vec<_> = (0..2).map(|call| service.call(call)).collect();
        assert_eq!(pace.snapshot().waiting(), 0, "{given_up_at}: there is room for two");
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_calls_of_all_are_few_and_become_more_with_what_is_answered() {
    let (sent, pace) = (Sent::default(), Pace::default());
    let log = Arc::clone(&sent);
    let below = service_fn(move |call: u32| {
        log.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), call));
        async move {
            time::sleep(100 * MS).await;
            Ok::<_, BoxError>(call)
        }
    });
    let mut service = ThrottleLayer::new(pace.clone()).layer(below);
    let (begin, mut all) = (Instant::now(), JoinSet::new());
    (0..3_000).for_each(|call| drop(all.spawn(service.call(call))));
    while let Some(outcome) = all.join_next().await {
        outcome.expect("no panic").expect("its turn comes");
    }
    assert_eq!(calls(&sent), (0..3_000).collect::<Vec<_>>());
    let sent = sent.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let within =
        |from: Duration| sent.iter().filter(|(at, _)| (from..from + 100 * MS).contains(&(*at - begin))).count();
    let mut before = 0;
    for round in 0..60_u32 {
        let now = within(100 * MS * round);
        assert!(now <= 10 + before / 5, "{now} after {before}");
        before += now;
    }
    assert!(before >= 1_000, "{before} in 6 s");
    // Who comes alone does not wait.
    let waited = pace.snapshot().waited();
    for call in 0..100 {
        service.call(call).await.expect("it succeeds");
    }
    assert_eq!(pace.snapshot().waited(), waited);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_slow_is_not_kept_from_work_for_long() {
    let (begin, pace, mut all) = (Instant::now(), Pace::default(), JoinSet::new());
    let below = service_fn(|call: u32| async move {
        time::sleep(5 * SECOND).await;
        Ok::<_, BoxError>(call)
    });
    let mut service = ThrottleLayer::new(pace.clone()).layer(below);
    (0..64).for_each(|call| drop(all.spawn(service.call(call))));
    while let Some(outcome) = all.join_next().await {
        outcome.expect("no panic").expect("its turn comes");
    }
    assert!(begin.elapsed() < 16 * SECOND, "{:?}", begin.elapsed());
    assert_eq!(pace.snapshot().in_flight(), None);
}

#[tokio::test(start_paused = true)]
async fn where_somebody_says_how_much_there_is_the_first_calls_go_at_once() {
    for settings in [PaceSettings::from(Rate::per_second(100)), PaceSettings::new().in_flight(50)] {
        let sent = Sent::default();
        let mut service = ThrottleLayer::new(Pace::new(settings)).layer(recording(&sent));
        let _unpolled: Vec<_> = (0..50).map(|call| service.call(call)).collect();
        assert_eq!(calls(&sent).len(), 50);
    }
}

#[tokio::test(start_paused = true)]
async fn a_pace_with_nothing_to_remember_makes_room_for_that_of_another_key() {
    for settings in [PaceSettings::new(), PaceSettings::new().in_flight(8), PaceSettings::from(Rate::per_second(100))] {
        let paces = Paces::new(1, move || Pace::new(settings));
        let mut service = ThrottleLayer::new(paces.keyed(|call: &u32| *call)).layer(recording(&Sent::default()));
        for key in 0..3 {
            service.call(key).await.expect("its own pace has one");
            time::advance(SECOND).await;
            assert_eq!(paces.snapshot().iter().map(|(key, _)| *key).collect::<Vec<_>>(), [key]);
        }
        fail(&paces.get(&2), Verdict::THROTTLED.after(20 * SECOND)).await;
        service.call(3).await.expect("its own pace has one");
        assert_eq!(paces.snapshot().iter().map(|(key, _)| *key).collect::<Vec<_>>(), [2], "this one pauses");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_cloned_for_a_call_that_need_not_wait() {
    #[derive(Debug)]
    struct Unclonable;
    impl Clone for Unclonable {
        fn clone(&self) -> Self {
            panic!("nobody waits")
        }
    }
    impl Service<u32> for Unclonable {
        type Response = u32;
        type Error = BoxError;
        type Future = std::future::Ready<Result<u32, BoxError>>;

        fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), BoxError>> {
            std::task::Poll::Ready(Ok(()))
        }

        fn call(&mut self, call: u32) -> Self::Future {
            ready(Ok(call))
        }
    }
    let mut service: Throttle<_> = ThrottleLayer::new(Pace::new(Rate::per_second(2).burst(2))).layer(Unclonable);
    for call in 0..2 {
        service.call(call).await.expect("there are two");
    }
}

/// A server that bears `most` calls at once, for a second each, and fails the others.
fn bearing(most: u32) -> (impl Service<u32, Response = u32, Error = BoxError, Future: Send> + Clone + Send, Flights) {
    let flights = Flights::default();
    let seen = Arc::clone(&flights);
    let service = service_fn(move |call: u32| {
        let seen = Arc::clone(&seen);
        async move {
            let in_flight = {
                let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.now += 1;
                seen.failed += u32::from(seen.now > most);
                seen.answered += u32::from(seen.now <= most);
                seen.now
            };
            time::sleep(SECOND).await;
            seen.lock().unwrap_or_else(PoisonError::into_inner).now -= 1;
            if in_flight > most { Err(BoxError::from(Verdict::TRANSIENT)) } else { Ok(call) }
        }
    });
    (service, flights)
}

#[derive(Default)]
struct Flight {
    now: u32,
    answered: u32,
    failed: u32,
}

type Flights = Arc<Mutex<Flight>>;

#[tokio::test(start_paused = true)]
async fn as_many_calls_are_in_flight_as_the_server_bears() {
    let (server, flights) = bearing(10);
    let pace = Pace::new(PaceSettings::new().in_flight(64));
    let service = ThrottleLayer::new(pace.clone()).layer(server);
    let mut all = JoinSet::new();
    for caller in 0..64 {
        let mut service = service.clone();
        all.spawn(async move {
            let begin = Instant::now();
            while begin.elapsed() < 300 * SECOND {
                let _: Result<_, BoxError> = service.call(caller).await;
            }
        });
    }
    all.join_all().await;
    let flights = flights.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(flights.answered >= 2_000, "{} of 3000", flights.answered);
    assert!(flights.failed * 8 < flights.answered, "{} failed of {}", flights.failed, flights.answered);
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_calls_in_flight_is_never_below_one_nor_above_what_is_set_and_comes_back_by_time() {
    let pace = Pace::new(PaceSettings::new().in_flight(8));
    assert_eq!(pace.snapshot().in_flight(), Some(8));
    for _ in 0..50 {
        fail(&pace, Verdict::TRANSIENT).await;
        time::advance(MS).await;
    }
    assert_eq!(pace.snapshot().in_flight(), Some(1));
    pass(&pace).await.expect("one may always go");
    time::advance(180 * SECOND).await;
    assert_eq!(pace.snapshot().in_flight(), Some(8));
    for verdict in [Verdict::PERMANENT, Verdict::AUTH, Verdict::REFUSED, Verdict::MALFORMED, Verdict::SUCCESS] {
        fail(&pace, verdict).await;
    }
    assert_eq!(pace.snapshot().in_flight(), Some(8), "these are no losses");
}

#[tokio::test(start_paused = true)]
async fn a_call_in_flight_that_is_given_up_makes_room() {
    let pace = Pace::new(PaceSettings::new().in_flight(1));
    let mut hanging = ThrottleLayer::new(pace.clone()).layer(service_fn(|_: u32| pending::<Result<u32, BoxError>>()));
    let mut first = task::spawn(hanging.call(0));
    assert_pending!(first.poll());
    let mut service = ThrottleLayer::new(pace).layer(recording(&Sent::default()));
    let mut second = task::spawn(service.call(1));
    assert_pending!(second.poll());
    drop(first);
    assert!(second.is_woken());
    assert_ready_ok!(second.poll());
}

#[tokio::test(start_paused = true)]
async fn what_was_used_up_is_counted_by_how_it_ended() {
    let pace = Pace::new(PaceSettings::new().cost(Rate::per_second(1_000)));
    let layer = ThrottleLayer::new(pace.clone()).cost(|call: &u32| u64::from(*call));
    layer.layer(recording(&Sent::default())).oneshot(3).await.expect("it is answered");
    layer.layer(failing(Verdict::PERMANENT)).oneshot(5).await.expect_err("it is answered, too");
    for verdict in [Verdict::TRANSIENT, Verdict::MALFORMED] {
        layer.layer(failing(verdict)).oneshot(7).await.expect_err("it fails");
    }
    drop(layer.layer(service_fn(|_: u32| pending::<Result<u32, BoxError>>())).call(11));
    layer.layer(failing(Verdict::REFUSED)).oneshot(13).await.expect_err("it is not sent");
    let spending = pace.snapshot().spending();
    let sums = [spending.answered(), spending.failed(), spending.abandoned()];
    assert_eq!(sums.map(|spent| (spent.attempts(), spent.cost())), [(2, 8), (2, 14), (1, 11)]);
}
