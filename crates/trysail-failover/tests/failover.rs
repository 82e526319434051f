//! Who is asked, when, and what comes of it.

use std::{
    future::{pending, ready},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{self, Instant};
use tokio_test::{assert_pending, assert_ready, assert_ready_err, assert_ready_ok, task};
use tower::{Layer, Service, ServiceExt, util::BoxCloneSyncService};
use trysail_core::{Cause, Classified, Elapsed, Open, Pay, Scope, Verdict};
use trysail_failover::{AnyMember, Failover, FailoverLayer, PerCall, Standing};

const SECOND: Duration = Duration::from_secs(1);

/// An error that is all verdict, and says whose it is.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Failed {
    member: usize,
    verdict: Verdict,
}

impl Classified for Failed {
    fn verdict(&self) -> Verdict {
        self.verdict
    }
}

impl From<Elapsed> for Failed {
    fn from(elapsed: Elapsed) -> Self {
        assert_eq!(elapsed.scope(), Scope::Attempt);
        Self { member: usize::MAX, verdict: elapsed.verdict() }
    }
}

/// What a member does with its next call.
#[derive(Clone, Copy, Debug)]
enum Does {
    Answers,
    Fails(Verdict),
    AnswersAfter(Duration),
    FailsAfter(Duration, Verdict),
    Hangs,
    IsNotReady,
    IsBroken(Verdict),
}

/// A member that does the same until it is told otherwise; it answers who it is.
#[derive(Clone)]
struct Member {
    number: usize,
    does: Arc<Mutex<Does>>,
    asked: Arc<AtomicU32>,
}

impl Member {
    fn new(number: usize, does: Does) -> Self {
        Self { number, does: Arc::new(Mutex::new(does)), asked: Arc::default() }
    }

    fn now(&self, does: Does) {
        *self.does.lock().expect("nothing panics under it") = does;
    }

    fn does(&self) -> Does {
        *self.does.lock().expect("nothing panics under it")
    }

    fn asked(&self) -> u32 {
        self.asked.load(Relaxed)
    }
}

impl Service<&'static str> for Member {
    type Response = usize;
    type Error = Failed;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<usize, Failed>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        match self.does() {
            Does::IsNotReady => Poll::Pending,
            Does::IsBroken(verdict) => Poll::Ready(Err(Failed { member: self.number, verdict })),
            _ => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, _: &'static str) -> Self::Future {
        self.asked.fetch_add(1, Relaxed);
        let (member, does) = (self.number, self.does());
        Box::pin(async move {
            match does {
                Does::AnswersAfter(after) | Does::FailsAfter(after, _) => time::sleep(after).await,
                Does::Hangs => pending().await,
                _ => {}
            }
            match does {
                Does::Fails(verdict) | Does::FailsAfter(_, verdict) => Err(Failed { member, verdict }),
                _ => Ok(member),
            }
        })
    }
}

fn members<const N: usize>(does: [Does; N]) -> [Member; N] {
    let mut number = 0;
    does.map(|does| {
        number += 1;
        Member::new(number - 1, does)
    })
}

fn list(members: &[Member]) -> Failover<Member> {
    layer(members).layer(members[0].clone())
}

fn layer(members: &[Member]) -> FailoverLayer<Member> {
    FailoverLayer::new(members[1..].to_vec())
}

fn asked(members: &[Member]) -> Vec<u32> {
    members.iter().map(Member::asked).collect()
}

const DOWN: Does = Does::Fails(Verdict::TRANSIENT);

#[tokio::test(start_paused = true)]
async fn the_next_member_is_asked_at_once_unless_the_request_is_no_good() {
    let open = Open::new(SECOND, Cause::Streak, None).verdict();
    for (verdict, goes_on) in [
        (Verdict::TRANSIENT, true),
        (Verdict::TRANSIENT.after(60 * SECOND), true),
        (Verdict::TRANSIENT.unsent(), true),
        (Verdict::MALFORMED, true),
        (Verdict::MALFORMED.once().neutral(), true),
        (Verdict::WARMING, true),
        (Verdict::THROTTLED.after(60 * SECOND), true),
        (Verdict::QUOTA_EXHAUSTED, true),
        (Verdict::AUTH, true),
        (Verdict::REFUSED, true),
        (open, true),
        (Verdict::PERMANENT, false),
    ] {
        let began = Instant::now();
        let members = members([Does::Fails(verdict), Does::Answers, Does::Answers]);
        let outcome = list(&members).oneshot("text").await;
        assert_eq!(began.elapsed(), Duration::ZERO, "{verdict:?}");
        if goes_on {
            assert_eq!((outcome, asked(&members)), (Ok(1), vec![1, 1, 0]), "{verdict:?}");
        } else {
            assert_eq!((outcome, asked(&members)), (Err(Failed { member: 0, verdict }), vec![1, 0, 0]));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_member_is_asked_first_again_as_soon_as_it_is_back() {
    let members = members([DOWN, Does::Answers]);
    let service = list(&members);
    for _ in 0..3 {
        assert_eq!(service.clone().oneshot("text").await, Ok(1));
    }
    members[0].now(Does::Answers);
    assert_eq!(service.oneshot("text").await, Ok(0));
    assert_eq!(asked(&members), [4, 3]);
}

#[tokio::test(start_paused = true)]
async fn no_member_is_asked_twice_by_a_call_and_it_fails_as_the_one_that_can_be_asked_soonest() {
    let open = |secs| Open::new(secs * SECOND, Cause::Streak, None).verdict();
    for (verdicts, whose) in [
        ([Verdict::TRANSIENT, Verdict::TRANSIENT, Verdict::TRANSIENT], 2),
        ([Verdict::TRANSIENT, Verdict::THROTTLED.after(60 * SECOND), Verdict::AUTH], 0),
        ([Verdict::AUTH, Verdict::THROTTLED.after(60 * SECOND), open(1)], 1),
        ([open(2), open(1), open(3)], 1),
        ([open(2), Verdict::QUOTA_EXHAUSTED, Verdict::REFUSED], 0),
        ([Verdict::AUTH, Verdict::QUOTA_EXHAUSTED, Verdict::REFUSED], 2),
        ([Verdict::TRANSIENT, Verdict::PERMANENT, Verdict::TRANSIENT], 1),
    ] {
        let members = members(verdicts.map(Does::Fails));
        let failed = list(&members).oneshot("text").await.expect_err("nobody answers");
        assert_eq!(failed.member, whose, "{verdicts:?}");
        assert!(members.iter().all(|member| member.asked() <= 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_no_other_server_may_see_goes_to_one() {
    let members = members([DOWN, Does::Answers]);
    let never = layer(&members).replay(|_: &&'static str| None).within(SECOND);
    assert_eq!(never.layer(members[0].clone()).oneshot("text").await.expect_err("it fails").member, 0);
    assert_eq!(asked(&members), [1, 0]);
    // Nor is it cut short for others.
    members[0].now(Does::AnswersAfter(60 * SECOND));
    assert_eq!(never.layer(members[0].clone()).oneshot("text").await, Ok(0));
}

#[tokio::test(start_paused = true)]
async fn what_is_left_of_the_time_is_divided_by_the_members_left() {
    let began = Instant::now();
    let slow = Does::FailsAfter(5 * SECOND, Verdict::TRANSIENT);
    let members = members([Does::Hangs, slow, Does::Hangs, Does::AnswersAfter(60 * SECOND)]);
    let service = layer(&members).within(60 * SECOND).layer(members[0].clone());
    let mut call = task::spawn(service.oneshot("text"));
    // A quarter of a minute; 5 s, and the rest of its share is for those after it; half of the 40 s that are left.
    for (after, so_far) in [(0, [1, 0, 0, 0]), (15, [1, 1, 0, 0]), (20, [1, 1, 1, 0]), (40, [1, 1, 1, 1])] {
        time::sleep_until(began + after * SECOND).await;
        time::sleep(Duration::from_millis(1)).await;
        assert_pending!(call.poll());
        assert_eq!(asked(&members), so_far, "after {after} s");
    }
    // The last one is not cut.
    time::sleep_until(began + 101 * SECOND).await;
    assert_eq!(assert_ready_ok!(call.poll()), 3);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_hangs_ends_its_share_with_a_transient_failure() {
    let members = members([Does::Hangs, Does::Fails(Verdict::AUTH)]);
    let service = layer(&members).within(60 * SECOND).layer(members[0].clone());
    let began = Instant::now();
    let failed = service.oneshot("text").await.expect_err("nobody answers");
    assert_eq!((failed.verdict, began.elapsed()), (Verdict::TRANSIENT, 30 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn once_the_time_is_up_nobody_is_asked_any_more() {
    let members = members([DOWN, Does::Answers]);
    let service = layer(&members).within(Duration::ZERO).layer(members[0].clone());
    assert_eq!(service.oneshot("text").await.expect_err("there is no time").member, 0);
    assert_eq!(asked(&members), [1, 0]);
}

#[tokio::test(start_paused = true)]
async fn the_first_that_is_ready_is_asked_and_what_it_fails_the_others_may_still_answer() {
    let members = members([Does::IsNotReady, Does::IsBroken(Verdict::REFUSED), DOWN, Does::Answers]);
    let service = list(&members);
    assert_eq!(service.clone().oneshot("text").await, Ok(3));
    assert_eq!(asked(&members), [0, 0, 1, 1]);

    members[3].now(DOWN);
    let mut call = task::spawn(layer(&members).within(SECOND).layer(members[0].clone()).oneshot("text"));
    assert_pending!(call.poll());
    time::advance(2 * SECOND).await;
    // The first one is not ready in time, so the call fails as it did where it was asked.
    assert_eq!(assert_ready_err!(call.poll()).member, 3);
}

#[tokio::test(start_paused = true)]
async fn it_is_pending_while_some_may_become_ready_and_fails_when_none_will() {
    let members = members([Does::IsNotReady, Does::IsBroken(Verdict::REFUSED)]);
    let mut service = list(&members);
    let mut task = task::spawn(());
    assert_pending!(task.enter(|cx, _| service.poll_ready(cx)));
    members[0].now(Does::IsBroken(Verdict::AUTH));
    assert_eq!(assert_ready_err!(task.enter(|cx, _| service.poll_ready(cx))).member, 1);
    members[1].now(Does::Answers);
    assert_ready_ok!(task.enter(|cx, _| service.poll_ready(cx)));
    members[0].now(Does::Answers);
    assert_ready_ok!(task.enter(|cx, _| service.poll_ready(cx)));
    assert_eq!(service.call("text").await, Ok(0), "the first that was ready when it was asked last");
}

#[tokio::test(start_paused = true)]
async fn whoever_is_not_asked_keeps_no_place() {
    let limited =
        |number, places: usize| tower::limit::ConcurrencyLimit::new(Member::new(number, Does::Answers), places);
    let (first, second) = (limited(0, 1), limited(1, 1));
    let mut held = first.clone();
    held.ready().await.unwrap();
    let mut service = FailoverLayer::new([second.clone()]).layer(first.clone());
    let mut task = task::spawn(());
    assert_ready_ok!(task.enter(|cx, _| service.poll_ready(cx)));
    // It does not wait in the first one's queue, and gives the second's place back once the first is ready.
    drop(held);
    assert_ready_ok!(task.enter(|cx, _| first.clone().poll_ready(cx)));
    assert_pending!(task.enter(|cx, _| second.clone().poll_ready(cx)));
    assert_ready_ok!(task.enter(|cx, _| service.poll_ready(cx)));
    assert_ready_ok!(task.enter(|cx, _| second.clone().poll_ready(cx)));
    assert_eq!(service.call("text").await, Ok(0));
}

/// A budget of so many requests.
#[derive(Clone, Debug, Default)]
struct Purse(Arc<AtomicU32>);

impl Purse {
    fn holding(requests: u32) -> Self {
        Self(Arc::new(requests.into()))
    }

    fn balance(&self) -> u32 {
        self.0.load(Relaxed)
    }
}

impl Pay for Purse {
    type Charge = ();

    fn pay(&self, _: Verdict) -> Option<()> {
        self.0.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).ok().map(|_| ())
    }

    fn give_back(&self, (): ()) {
        self.0.fetch_add(1, Relaxed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failover_is_paid_for_unless_nothing_was_sent_and_success_gets_it_back() {
    let refused = Does::Fails(Open::new(SECOND, Cause::Streak, None).verdict());
    let unsent = Does::Fails(Verdict::TRANSIENT.unsent());
    for (does, holds, answered, left) in [
        ([DOWN, DOWN, Does::Answers], 2, Some(2), 2),
        ([DOWN, DOWN, Does::Answers], 1, None, 0),
        ([DOWN, Does::Answers, DOWN], 0, None, 0),
        ([refused, unsent, Does::Answers], 0, Some(2), 0),
        ([refused, DOWN, Does::Answers], 1, Some(2), 1),
        ([DOWN, refused, Does::Answers], 1, Some(2), 1),
        ([DOWN, DOWN, DOWN], 5, None, 3),
        // What was paid for a request that was refused is there again.
        ([DOWN, refused, refused], 5, None, 5),
        ([DOWN, refused, DOWN], 5, None, 4),
    ] {
        let (members, purse) = (members(does), Purse::holding(holds));
        let service = layer(&members).budget(purse.clone()).layer(members[0].clone());
        assert_eq!((service.oneshot("text").await.ok(), purse.balance()), (answered, left), "{does:?} {holds}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_before_it_was_sent_gives_its_charge_back() {
    for (does, left) in [(Does::IsNotReady, 1), (Does::Hangs, 0)] {
        let (members, purse) = (members([DOWN, does]), Purse::holding(1));
        let service = layer(&members).budget(purse.clone()).layer(members[0].clone());
        let mut call = task::spawn(service.oneshot("text"));
        assert_pending!(call.poll());
        assert_eq!(purse.balance(), 0);
        drop(call);
        assert_eq!(purse.balance(), left, "{does:?}");
    }
}

/// A list of members that are asked whether they fit.
type Checked<F> = Failover<Member, F, trysail_core::Inherit, PerCall>;

#[tokio::test(start_paused = true)]
async fn a_members_answer_is_kept_back_until_it_has_been_found_to_fit() {
    let members = members([Does::Answers, Does::Answers]);
    let checks = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&checks);
    let service: Checked<_> = layer(&members)
        .fits(move |member: Member| {
            count.fetch_add(1, Relaxed);
            async move {
                time::sleep(SECOND).await;
                member.oneshot("probe").await.map(drop)
            }
        })
        .layer(members[0].clone());
    assert_eq!(service.standings(), [Standing::Unchecked; 2]);
    let began = Instant::now();
    assert_eq!(service.clone().oneshot("text").await, Ok(0));
    assert_eq!((began.elapsed(), checks.load(Relaxed)), (SECOND, 1));
    assert_eq!(service.clone().oneshot("text").await, Ok(0));
    assert_eq!((began.elapsed(), checks.load(Relaxed)), (SECOND, 1), "it is known to fit");
    assert_eq!(service.standings(), [Standing::Fits, Standing::Unchecked]);

    // Nor is it asked again because it was busy.
    members[0].now(Does::IsNotReady);
    assert_eq!(service.clone().oneshot("text").await, Ok(1));
    assert_eq!(service.standings(), [Standing::Fits; 2]);
    members[0].now(Does::IsBroken(Verdict::TRANSIENT));
    assert_eq!(service.clone().oneshot("text").await, Ok(1));
    assert_eq!(service.standings(), [Standing::Unchecked, Standing::Fits]);

    // After each recovery it is asked again, and not after an answer that shows it at work.
    members[0].now(Does::Answers);
    assert_eq!(service.clone().oneshot("text").await, Ok(0));
    for (verdict, again) in [
        (Verdict::TRANSIENT, 1),
        (Verdict::REFUSED, 1),
        (Verdict::WARMING, 1),
        (Verdict::MALFORMED, 1),
        (Verdict::THROTTLED, 0),
        (Verdict::AUTH, 0),
        (Verdict::QUOTA_EXHAUSTED, 0),
    ] {
        members[0].now(Does::Fails(verdict));
        assert_eq!(service.clone().oneshot("text").await, Ok(1));
        members[0].now(Does::Answers);
        let before = checks.load(Relaxed);
        assert_eq!(service.clone().oneshot("text").await, Ok(0));
        assert_eq!(checks.load(Relaxed) - before, again, "{verdict:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_checked_whose_member_has_failed_another_call_meanwhile() {
    let members = members([Does::Answers, Does::Answers]);
    let checks = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&checks);
    let service = layer(&members)
        .fits(move |_: Member| {
            count.fetch_add(1, Relaxed);
            ready(Ok(()))
        })
        .layer(members[0].clone());
    assert_eq!(service.clone().oneshot("text").await, Ok(0));
    members[0].now(Does::AnswersAfter(SECOND));
    let mut call = task::spawn(service.clone().oneshot("text"));
    assert_pending!(call.poll());
    members[0].now(DOWN);
    assert_eq!(service.clone().oneshot("text").await, Ok(1));
    let before = checks.load(Relaxed);
    time::advance(2 * SECOND).await;
    assert_eq!(assert_ready_ok!(call.poll()), 0);
    assert_eq!(checks.load(Relaxed), before + 1);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_does_not_fit_never_answers_and_is_passed_over_for_a_while() {
    for (misfit, recheck) in [(Verdict::PERMANENT, None), (Verdict::MALFORMED.once().neutral(), Some(10 * SECOND))] {
        let members = members([Does::Answers, Does::Answers]);
        let other = Arc::new(AtomicU32::new(0));
        let is_other = Arc::clone(&other);
        let list = recheck.into_iter().fold(layer(&members), FailoverLayer::recheck);
        let recheck = recheck.unwrap_or(30 * SECOND);
        let service = list
            .fits(move |member: Member| {
                let fits = member.number as u32 != is_other.load(Relaxed);
                ready(if fits { Ok(()) } else { Err(Failed { member: member.number, verdict: misfit }) })
            })
            .layer(members[0].clone());
        for _ in 0..3 {
            assert_eq!(service.clone().oneshot("text").await, Ok(1));
        }
        assert_eq!((asked(&members), service.standings()), (vec![1, 3], vec![Standing::Misfit, Standing::Fits]));

        time::advance(recheck - SECOND).await;
        assert_eq!(service.clone().oneshot("text").await, Ok(1));
        assert_eq!(asked(&members), [1, 4]);

        // One call asks again after a while, and the others do not wait for it.
        time::advance(SECOND).await;
        let first = service.clone().call("text");
        let second = service.clone().oneshot("text");
        assert_eq!((second.await, first.await), (Ok(1), Ok(1)));
        assert_eq!(asked(&members), [2, 6]);

        // What cannot be checked is not used either.
        members[1].now(DOWN);
        assert_eq!(service.clone().oneshot("text").await.expect_err("nobody answers").member, 1);
        other.store(7, Relaxed);
        time::advance(recheck).await;
        assert_eq!(service.clone().oneshot("text").await, Ok(0));
        assert_eq!(service.standings(), [Standing::Fits, Standing::Unchecked]);
    }
}

#[tokio::test(start_paused = true)]
async fn where_none_fits_the_call_says_so_and_all_are_asked_again() {
    let members = members([Does::Answers, Does::Answers]);
    let service = layer(&members)
        .fits(|member: Member| ready(Err::<(), _>(Failed { member: member.number, verdict: Verdict::PERMANENT })))
        .layer(members[0].clone());
    for calls in 1..=3 {
        let failed = service.clone().oneshot("text").await.expect_err("nobody fits");
        assert_eq!((failed.verdict, asked(&members)[0]), (Verdict::PERMANENT, calls));
    }
}

#[tokio::test(start_paused = true)]
async fn a_check_that_fails_says_nothing_about_the_fit_and_has_its_share_of_the_time() {
    for hangs in [false, true] {
        let members = members([Does::Answers, Does::Answers]);
        let service = layer(&members)
            .within(60 * SECOND)
            .fits(move |member: Member| async move {
                match (member.number, hangs) {
                    (0, true) => pending().await,
                    (0, false) => Err(Failed { member: 0, verdict: Verdict::THROTTLED }),
                    _ => Ok(()),
                }
            })
            .layer(members[0].clone());
        let began = Instant::now();
        assert_eq!(service.clone().oneshot("text").await, Ok(1));
        assert_eq!(began.elapsed(), if hangs { 30 * SECOND } else { Duration::ZERO });
        assert_eq!(service.standings(), [Standing::Unchecked, Standing::Fits]);
        assert_eq!(members[0].asked(), 1);
        service.clone().oneshot("text").await.expect("the second answers");
        assert_eq!(members[0].asked(), 2, "it is not passed over");
    }
}

#[tokio::test(start_paused = true)]
async fn a_judge_of_its_own_serves_errors_without_a_verdict() {
    type Plain = BoxCloneSyncService<(), u16, std::io::Error>;
    let answer = |status: u16| Plain::new(tower::service_fn(move |()| ready(Ok(status))));
    struct Refused;
    impl From<Elapsed> for Refused {
        fn from(_: Elapsed) -> Self {
            Self
        }
    }
    let member = |status| answer(status).map_err(|_| Refused);
    let service = FailoverLayer::new([member(200)])
        .classify_with(|outcome: Result<&u16, &Refused>| match outcome {
            Ok(200) => Verdict::SUCCESS,
            _ => Verdict::TRANSIENT,
        })
        .layer(member(503));
    assert!(matches!(service.oneshot(()).await, Ok(200)));
}

#[tokio::test(start_paused = true)]
async fn a_failed_call_is_over_before_another_member_is_asked() {
    let first = tower::limit::ConcurrencyLimit::new(Member::new(0, DOWN), 1);
    // A second handle of the same place.
    let service = FailoverLayer::new([first.clone()]).layer(first);
    let mut call = task::spawn(service.oneshot("text"));
    assert_ready!(call.poll()).expect_err("both are down");
}

#[test]
fn futures_are_not_much_larger_than_a_timer_and_the_call() {
    type Future<F> = <Failover<Member, F> as Service<&'static str>>::Future;
    let size = size_of::<Future<AnyMember>>();
    assert!(size <= size_of::<time::Sleep>() + 160, "{size} B");
}
