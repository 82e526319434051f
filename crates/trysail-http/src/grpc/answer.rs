use http::{HeaderMap, HeaderName, Response};
use trysail_core::Verdict;

use crate::{
    ByStatus,
    grpc::{self, PUSHBACK},
};

/// Judges the whole answer to a unary call by its `grpc-status`, be it in the trailers or in the head, and by the
/// server's [`PUSHBACK`](grpc::PUSHBACK) beside it.
///
/// An answer that has none is something else's on the way, and judged by its HTTP status; a 200 that has none broke
/// off, and is as `UNKNOWN`.
///
/// ```
/// # use http::{HeaderMap, Response};
/// # use trysail_core::Class;
/// # use trysail_http::grpc;
/// let answer = Response::new(());
/// let trailers = HeaderMap::from_iter([("grpc-status".parse()?, "14".parse()?)]);
/// assert_eq!(grpc::judge(&answer, Some(&trailers)).class(), Class::Transient);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn judge<B>(response: &Response<B>, trailers: Option<&HeaderMap>) -> Verdict {
    let said = trailers.and_then(said).or_else(|| said(response.headers()));
    said.unwrap_or_else(|| match ByStatus::new().judge(response) {
        Verdict::SUCCESS => grpc::verdict(UNKNOWN),
        verdict => verdict,
    })
}

/// Judges a stream, whose `grpc-status` may be yet to come, by its head: one without is judged by its HTTP status.
pub fn judge_head<B>(response: &Response<B>) -> Verdict {
    said(response.headers()).unwrap_or_else(|| ByStatus::new().judge(response))
}

/// What head or trailers say of the call.
fn said(headers: &HeaderMap) -> Option<Verdict> {
    let code = headers.get(STATUS)?.to_str().ok().and_then(|code| code.trim().parse().ok());
    let pushback = headers.get(PUSHBACK).map(|value| value.to_str().unwrap_or_default());
    Some(grpc::pushback(grpc::verdict(code.unwrap_or(UNKNOWN)), pushback))
}

const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const UNKNOWN: i32 = 2;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::StatusCode;

    use super::*;

    fn map(rows: &[(&'static str, &'static str)]) -> HeaderMap {
        rows.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    fn answer(status: u16, rows: &[(&'static str, &'static str)]) -> Response<()> {
        let mut answer = Response::new(());
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        *answer.headers_mut() = map(rows);
        answer
    }

    #[test]
    fn the_status_is_found_in_the_trailers_and_in_the_head() {
        let unavailable = [("grpc-status", "14")];
        let later = [("grpc-status", "14"), (PUSHBACK, "20")];
        let hinted = Verdict::TRANSIENT.after(Duration::from_millis(20));
        for (status, head, trailers, whole, by_head) in [
            (200, &[][..], Some(&[("grpc-status", "0")][..]), Verdict::SUCCESS, Verdict::SUCCESS),
            (200, &[], Some(&unavailable), Verdict::TRANSIENT, Verdict::SUCCESS),
            (200, &unavailable, None, Verdict::TRANSIENT, Verdict::TRANSIENT),
            (200, &later, None, hinted, hinted),
            (200, &[], Some(&later), hinted, Verdict::SUCCESS),
            (200, &[("grpc-status", "5")], None, Verdict::PERMANENT, Verdict::PERMANENT),
            (200, &[("grpc-status", "calm")], None, Verdict::TRANSIENT, Verdict::TRANSIENT),
            (200, &[], None, Verdict::TRANSIENT, Verdict::SUCCESS),
            (200, &[], Some(&[]), Verdict::TRANSIENT, Verdict::SUCCESS),
            (503, &[], None, Verdict::TRANSIENT, Verdict::TRANSIENT),
            (
                429,
                &[("retry-after", "2")],
                None,
                Verdict::THROTTLED.after(Duration::from_secs(2)),
                Verdict::THROTTLED.after(Duration::from_secs(2)),
            ),
        ] {
            let (answer, trailers) = (answer(status, head), trailers.map(map));
            assert_eq!(judge(&answer, trailers.as_ref()), whole, "{answer:?} {trailers:?}");
            assert_eq!(judge_head(&answer), by_head, "{answer:?}");
        }
    }
}
