use std::error::Error;

use trysail_core::Class;

use crate::{respond, transport};

/// The code with which a failed call is passed on, as [`respond_to`](crate::respond_to) finds its status: `UNAVAILABLE`
/// where an open circuit refused it or the server could not be reached, `DEADLINE_EXCEEDED` for a time limit of one's own.
///
/// ```
/// # use std::time::Duration;
/// # use trysail_core::{Cause, Open};
/// # use trysail_http::grpc;
/// let open = Open::new(Duration::from_secs(5), Cause::Streak, None);
/// assert_eq!(grpc::code(&open), 14);
/// ```
pub fn code(error: &(dyn Error + 'static)) -> i32 {
    let verdict = transport::verdict(error);
    if respond::timed_out(verdict, error) {
        return DEADLINE_EXCEEDED;
    }
    match verdict.class() {
        Class::Success => OK,
        Class::Throttled | Class::QuotaExhausted => RESOURCE_EXHAUSTED,
        Class::Auth => UNAUTHENTICATED,
        Class::Permanent => INVALID_ARGUMENT,
        Class::Malformed => INTERNAL,
        _ => UNAVAILABLE,
    }
}

const OK: i32 = 0;
const INVALID_ARGUMENT: i32 = 3;
const DEADLINE_EXCEEDED: i32 = 4;
const RESOURCE_EXHAUSTED: i32 = 8;
const INTERNAL: i32 = 13;
const UNAVAILABLE: i32 = 14;
const UNAUTHENTICATED: i32 = 16;

#[cfg(test)]
mod tests {
    use std::{io, time::Duration};

    use trysail_core::{Elapsed, Failure, Scope, Verdict};

    use super::*;
    use crate::grpc::CODES;

    type Failed = Failure<(), io::Error>;

    #[test]
    fn a_failure_is_passed_on_by_the_name_that_its_callers_know() {
        let elapsed = |scope| Failed::Elapsed(Elapsed::new(scope, Duration::from_secs(1)));
        let failed = |verdict| Failed::unanswered(verdict, io::Error::other("a storm"));
        for (failure, name) in [
            (elapsed(Scope::Overall), "DEADLINE_EXCEEDED"),
            (elapsed(Scope::Request), "DEADLINE_EXCEEDED"),
            (failed(Verdict::REFUSED), "UNAVAILABLE"),
            (failed(Verdict::TRANSIENT), "UNAVAILABLE"),
            (failed(Verdict::WARMING), "UNAVAILABLE"),
            (failed(Verdict::THROTTLED), "RESOURCE_EXHAUSTED"),
            (failed(Verdict::QUOTA_EXHAUSTED), "RESOURCE_EXHAUSTED"),
            (failed(Verdict::AUTH), "UNAUTHENTICATED"),
            (failed(Verdict::PERMANENT), "INVALID_ARGUMENT"),
            (failed(Verdict::MALFORMED), "INTERNAL"),
        ] {
            let code = usize::try_from(code(&failure)).expect("no code is negative");
            assert_eq!(CODES[code].0, name, "{failure}");
        }
    }
}
