//! What the words promise.

use std::{error::Error, io, time::Duration};

use trysail_core::{
    Cause, Class, Classified, Classifier, Elapsed, Failure, Health, Inherit, Limit, Open, Random, Remedy, Replay,
    Retryable, Scope, Verdict,
};

const MS: Duration = Duration::from_millis(1);
const DAY: Duration = Duration::from_secs(86_400);
type Judged = Failure<u16, io::Error>;

#[test]
fn a_hint_is_whole_milliseconds_and_never_shorter_than_asked() {
    for (asked, kept) in [
        (Duration::ZERO, None),
        (Duration::from_nanos(1), Some(MS)),
        (MS, Some(MS)),
        (Duration::from_nanos(1_000_001), Some(2 * MS)),
        (Duration::MAX, Some(Duration::from_millis(u32::MAX.into()))),
    ] {
        assert_eq!(Verdict::THROTTLED.after(asked).retry_after(), kept);
    }
}

#[test]
fn setters_change_one_axis() {
    let verdict = Verdict::TRANSIENT.after(MS).advise(Remedy::Split);
    assert_eq!(
        (verdict.class(), verdict.retry(), verdict.health()),
        (Class::Transient, Retryable::Yes, Health::Failure)
    );
    assert_eq!((verdict.once().retry(), verdict.neutral().health()), (Retryable::No, Health::Neutral));
    let unsent = verdict.unsent();
    assert_eq!(
        (unsent.retry(), unsent.health(), unsent.remedy()),
        (Retryable::Unsent, Health::Neutral, Some(Remedy::Split))
    );
    assert_eq!(unsent.again().unhealthy(), verdict);
    assert_eq!(Verdict::PERMANENT.neutral().healthy(), Verdict::PERMANENT);
    assert_eq!(verdict.to_string(), "transient, retry after 1ms");
}

#[test]
fn classes_and_causes_stand_at_their_index() {
    assert!(Class::ALL.iter().enumerate().all(|(index, class)| class.index() == index));
    assert!(Cause::ALL.iter().enumerate().all(|(index, cause)| cause.index() == index));
    assert_eq!(Class::QuotaExhausted.to_string(), "quota_exhausted");
}

#[test]
fn what_was_judged_below_stands() {
    assert_eq!(Inherit.classify(Ok::<_, &Judged>(&200_u16)), Verdict::SUCCESS);
    let throttled: Judged = Failure::Response { verdict: Verdict::THROTTLED, status: None, response: 429 };
    assert_eq!(Inherit.classify(Err::<&u16, _>(&throttled)), Verdict::THROTTLED);
}

#[test]
fn a_box_keeps_what_is_known_of_an_error() {
    let open = Open::new(MS, Cause::Streak, None);
    let elapsed = Elapsed::new(Scope::Attempt, MS);
    let boxed = |failure: Judged| -> Box<dyn Error + Send + Sync> { failure.into() };
    assert_eq!(
        boxed(Failure::Response { verdict: Verdict::AUTH, status: None, response: 401 }).verdict(),
        Verdict::AUTH
    );
    assert_eq!(boxed(open.into()).verdict(), Verdict::REFUSED.after(MS));
    assert_eq!(boxed(elapsed.into()).verdict(), Verdict::TRANSIENT);
    assert_eq!(boxed(elapsed.unsent().into()).verdict(), Verdict::REFUSED);
    let foreign: Box<dyn Error + Send + Sync> = "out of the blue".into();
    assert_eq!(foreign.verdict(), Verdict::TRANSIENT);
}

#[test]
fn the_time_a_request_had_left_says_nothing_about_the_server() {
    for (scope, verdict) in [
        (Scope::Request, Verdict::REFUSED),
        (Scope::Attempt, Verdict::TRANSIENT),
        (Scope::Overall, Verdict::TRANSIENT),
        (Scope::Connect, Verdict::TRANSIENT),
    ] {
        assert_eq!(Elapsed::new(scope, MS).verdict(), verdict);
    }
}

#[test]
fn a_limit_that_struck_keeps_its_scope_and_length() {
    let scopes =
        [Scope::Call, Scope::Ready, Scope::Connect, Scope::Attempt, Scope::Idle, Scope::Overall, Scope::Request];
    for scope in scopes {
        for limit in [Duration::ZERO, Duration::from_nanos(1), Duration::new(3, 999_999_999), 365 * DAY] {
            for elapsed in [Elapsed::new(scope, limit), Elapsed::new(scope, limit).unsent()] {
                assert_eq!((elapsed.scope(), elapsed.limit()), (scope, limit));
            }
        }
    }
    assert!(Elapsed::new(Scope::Request, Duration::MAX).limit() > 16 * 365 * DAY);
}

#[test]
fn a_refusal_keeps_its_time_cause_and_class() {
    for cause in Cause::ALL {
        for class in Class::ALL.map(Some).into_iter().chain([None]) {
            for time in [Duration::ZERO, Duration::from_nanos(1), Duration::new(3, 999_999_999), 4 * 365 * DAY] {
                let open = Open::new(time, cause, class);
                assert_eq!((open.retry_after(), open.cause(), open.class()), (time, cause, class));
            }
        }
    }
    assert!(Open::new(Duration::MAX, Cause::Rate, None).retry_after() > 4 * 365 * DAY);
}

#[test]
fn debug_of_a_failure_does_not_print_the_answer() {
    let failure: Failure<&str, io::Error> =
        Failure::Response { verdict: Verdict::AUTH, status: Some(401), response: "sk-secret" };
    assert!(!format!("{failure:?} {failure}").contains("sk-secret"));
}

#[test]
fn errors_say_what_happened_and_what_to_do() {
    let open = Open::new(2 * MS, Cause::Rate, Some(Class::Transient));
    assert_eq!(
        open.to_string(),
        "the circuit is open for its failure rate (the last was transient), so nothing was sent; next try in 2ms"
    );
    let late = Elapsed::new(Scope::Request, Duration::ZERO).unsent();
    assert_eq!(late.to_string(), "the request arrived with no time left, so nothing was sent");
}

#[test]
fn closures_are_strategies() {
    let limit = |request: &u64| Duration::from_secs(*request);
    assert_eq!(limit.limit(&3), Some(Duration::from_secs(3)));
    let some = |request: &u64| (*request > 3).then_some(MS);
    assert_eq!((some.limit(&3), some.limit(&4)), (None, Some(MS)));
    let even = |request: &u64| request.is_multiple_of(2).then_some(*request);
    assert_eq!((even.replay(&3), even.replay(&4)), (None, Some(4)));
}

#[test]
fn draws_are_uniform_and_repeatable() {
    let random = Random::seeded(1);
    let mut counts = [0_u32; 10];
    for _ in 0..100_000 {
        counts[random.below(10) as usize] += 1;
    }
    assert!(counts.iter().all(|count| (9_600..10_400).contains(count)), "{counts:?}");
    assert_eq!((random.below(0), random.below(1)), (0, 0));
    assert_eq!(Random::seeded(7).draw(), Random::seeded(7).draw());
}
