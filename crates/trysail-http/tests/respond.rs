//! What a server answers its own callers.

use std::{error::Error, io, time::Duration};

use trysail_core::{Cause, Class, Elapsed, Failure, Open, Scope, Verdict};
use trysail_http::{CollectError, respond, respond_to};

type Failed = Failure<(), CollectError<io::Error, io::Error>>;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_time_limit_of_ones_own_is_a_504_however_it_is_wrapped() {
    let scopes =
        [Scope::Call, Scope::Ready, Scope::Connect, Scope::Attempt, Scope::Idle, Scope::Overall, Scope::Request];
    for scope in scopes {
        for elapsed in [Elapsed::new(scope, SECOND), Elapsed::new(scope, Duration::ZERO).unsent()] {
            let connect = CollectError::Client(io::Error::new(io::ErrorKind::TimedOut, elapsed));
            let errors: [Box<dyn Error + Send + Sync>; 5] = [
                Box::new(elapsed),
                Box::new(Failed::Elapsed(elapsed)),
                Box::new(CollectError::<io::Error, io::Error>::Idle(elapsed)),
                Box::new(io::Error::other(Box::new(Failed::Elapsed(elapsed)) as Box<dyn Error + Send + Sync>)),
                Box::<CollectError<io::Error, io::Error>>::new(connect),
            ];
            for error in errors {
                assert_eq!(respond_to(&*error, false, "").status(), 504, "{error:?}");
            }
        }
    }
}

#[test]
fn everything_else_has_the_status_of_its_class() {
    let table = [
        (Verdict::SUCCESS, 200),
        (Verdict::TRANSIENT, 502),
        (Verdict::WARMING, 503),
        (Verdict::THROTTLED, 429),
        (Verdict::QUOTA_EXHAUSTED, 429),
        (Verdict::AUTH, 401),
        (Verdict::PERMANENT, 400),
        (Verdict::MALFORMED, 502),
        (Verdict::REFUSED, 503),
    ];
    for class in Class::ALL {
        assert!(table.iter().any(|(verdict, _)| verdict.class() == class), "{class}");
    }
    for (verdict, status) in table {
        assert_eq!(respond(verdict, false, "").status(), status, "{verdict}");
        assert_eq!(respond_to(&verdict, false, "").status(), status, "{verdict}");
    }
    let open = respond_to(&Failed::Open(Open::new(SECOND, Cause::Streak, None)), false, "");
    assert_eq!((open.status().as_u16(), &open.headers()["retry-after"]), (503, &"1".parse().expect("a header")));
    assert!(!open.headers().contains_key("x-should-retry"));
    let reset = CollectError::<_, io::Error>::Client(io::Error::from(io::ErrorKind::ConnectionReset));
    assert_eq!(respond_to(&reset, false, "").status(), 502);
    // What the system calls a timeout is no limit of ours.
    let far = CollectError::<_, io::Error>::Client(io::Error::from(io::ErrorKind::TimedOut));
    assert_eq!(respond_to(&far, false, "").status(), 502);
}

#[test]
fn a_spent_caller_says_so_with_a_504_too() {
    let error = Elapsed::new(Scope::Overall, SECOND);
    assert_eq!(respond_to(&error, true, "").headers()["x-should-retry"], "false");
    assert!(!respond_to(&error, false, "").headers().contains_key("x-should-retry"));
}
