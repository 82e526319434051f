//! gRPC: verdicts for its status codes, and its codes for verdicts.

mod answer;
mod by_code;
mod code;

use std::time::Duration;

use trysail_core::{Remedy, Verdict};

pub use self::{
    answer::{judge, judge_head},
    by_code::ByCode,
    code::code,
};

/// What a gRPC status code means; an unknown one is as `UNKNOWN`.
///
/// After the descriptions in the [guide to status codes](https://grpc.io/docs/guides/status-codes/).
///
/// ```
/// # use trysail_core::Class;
/// # use trysail_http::grpc;
/// assert_eq!(grpc::verdict(8).class(), Class::Throttled);
/// ```
pub fn verdict(code: i32) -> Verdict {
    let known = usize::try_from(code).ok().and_then(|code| CODES.get(code));
    known.map_or(Verdict::TRANSIENT, |(_, verdict)| *verdict)
}

/// `verdict` with the server's own word on a retry, the value of its [`PUSHBACK`] if there is one: milliseconds to wait, or
/// none at all if they are negative or no number.
pub fn pushback(verdict: Verdict, value: Option<&str>) -> Verdict {
    match value.map(|value| value.trim().parse::<u32>()) {
        Some(Ok(ms)) => verdict.after(Duration::from_millis(ms.into())),
        Some(Err(_)) => verdict.once(),
        None => verdict,
    }
}

/// The metadata in which a server says when to retry.
pub const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// The name of each code and what it means, each at its place.
pub const CODES: &[(&str, Verdict)] = &[
    ("OK", Verdict::SUCCESS),
    // Typically by the caller, who does not want it any more.
    ("CANCELLED", Verdict::REFUSED),
    ("UNKNOWN", Verdict::TRANSIENT),
    ("INVALID_ARGUMENT", Verdict::PERMANENT),
    ("DEADLINE_EXCEEDED", Verdict::TRANSIENT),
    ("NOT_FOUND", Verdict::PERMANENT),
    ("ALREADY_EXISTS", Verdict::PERMANENT),
    ("PERMISSION_DENIED", Verdict::AUTH),
    ("RESOURCE_EXHAUSTED", Verdict::THROTTLED),
    ("FAILED_PRECONDITION", Verdict::PERMANENT),
    ("ABORTED", Verdict::TRANSIENT.neutral()),
    ("OUT_OF_RANGE", Verdict::PERMANENT),
    ("UNIMPLEMENTED", Verdict::PERMANENT.neutral()),
    ("INTERNAL", Verdict::TRANSIENT),
    ("UNAVAILABLE", Verdict::TRANSIENT),
    // Unrecoverable, and a failure of the server all the same.
    ("DATA_LOSS", Verdict::PERMANENT.unhealthy()),
    ("UNAUTHENTICATED", Verdict::AUTH.advise(Remedy::Reauth)),
];

#[cfg(test)]
mod tests {
    use trysail_core::{Class, Health, Retryable};

    use super::*;

    #[test]
    fn a_server_says_when_to_retry_and_that_nobody_shall() {
        let said = |value| pushback(verdict(14), value);
        assert_eq!(said(None), Verdict::TRANSIENT);
        assert_eq!(said(Some("0")), Verdict::TRANSIENT);
        assert_eq!(said(Some("20")), Verdict::TRANSIENT.after(Duration::from_millis(20)));
        for forbidden in ["-1", "", "soon", "1.5", "99999999999"] {
            assert_eq!(said(Some(forbidden)), Verdict::TRANSIENT.once(), "{forbidden}");
        }
    }

    #[test]
    fn the_codes_stand_at_their_places() {
        let named = |name| CODES.iter().position(|(known, _)| *known == name);
        assert_eq!(named("OK"), Some(0));
        assert_eq!(named("RESOURCE_EXHAUSTED"), Some(8));
        assert_eq!(named("UNAVAILABLE"), Some(14));
        assert_eq!(named("UNAUTHENTICATED"), Some(16));
        assert_eq!(verdict(14).retry(), Retryable::Yes);
        assert_eq!(verdict(15).health(), Health::Failure);
        for unknown in [-1, 17, i32::MIN, i32::MAX] {
            assert_eq!(verdict(unknown).class(), Class::Transient);
        }
    }
}
