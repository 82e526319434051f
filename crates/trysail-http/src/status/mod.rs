//! Judges an answer by its head.

mod classifier;
mod rule;
mod table;

use std::sync::Arc;

use http::{Response, StatusCode};
use trysail_core::Verdict;

use self::table::{FAMILIES, ROWS};
pub use self::{classifier::Boxed, rule::StatusRule};
use crate::heed;

/// The judge of any HTTP service: status, `Retry-After` and the like, `x-should-retry`, and errors by their types.
///
/// It asks nothing of the body, so a stream is judged when its head is in: verdict and circuit end there, and a body that
/// breaks off later is neither repeated nor counted. Which status means what stands in the repository's
/// `docs/classes.md`; a 429 is a rate limit here, for only its body tells that from a spent quota (see
/// [`CollectLayer::errors`](crate::CollectLayer::errors)).
///
/// A clone costs nothing, or one reference count where statuses of one's own were [set](Self::on).
///
/// # Examples
///
/// ```
/// use std::{io, time::Duration};
///
/// use http::{Response, StatusCode};
/// use trysail_core::{Classifier, Retryable, Verdict};
/// use trysail_http::ByStatus;
///
/// let judge = ByStatus::default().on(StatusCode::NOT_FOUND, Verdict::WARMING);
///
/// let answer = Response::builder().status(503).header("retry-after", "2").body(())?;
/// assert_eq!(judge.judge(&answer), Verdict::TRANSIENT.after(Duration::from_secs(2)));
/// let answer = Response::builder().status(404).body(())?;
/// assert_eq!(judge.judge(&answer), Verdict::WARMING);
/// let reset = io::Error::from(io::ErrorKind::ConnectionReset);
/// assert_eq!(judge.classify(Err::<&Response<()>, _>(&reset)).retry(), Retryable::Yes);
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ByStatus {
    own: Option<Arc<Vec<(StatusCode, Verdict)>>>,
}

impl ByStatus {
    /// What the table says.
    pub const fn new() -> Self {
        Self { own: None }
    }

    /// With another verdict for `status`, whatever its family; hints of the server still count.
    #[must_use]
    pub fn on(self, status: StatusCode, verdict: Verdict) -> Self {
        let mut own = self.own.unwrap_or_default();
        let rows = Arc::make_mut(&mut own);
        rows.retain(|(known, _)| *known != status);
        rows.push((status, verdict));
        Self { own: Some(own) }
    }

    /// For services whose errors are boxed.
    pub const fn boxed(self) -> Boxed<Self> {
        Boxed(self)
    }

    /// What `status` says by itself.
    pub fn rule(&self, status: StatusCode) -> StatusRule {
        let own = self.own.iter().flat_map(|rows| &**rows).find(|(known, _)| *known == status);
        if let Some((_, verdict)) = own {
            return StatusRule::listed("status/own", *verdict);
        }
        let code = status.as_u16();
        if let Ok(at) = ROWS.binary_search_by_key(&code, |(known, ..)| *known) {
            let (_, name, verdict) = ROWS[at];
            return StatusRule::listed(name, verdict);
        }
        let family = FAMILIES.iter().find(|(first, ..)| code >= *first);
        let (_, name, verdict) = family.expect("no status is below 100");
        StatusRule::family(name, *verdict)
    }

    /// Judges an answer by its head.
    pub fn judge<B>(&self, response: &Response<B>) -> Verdict {
        let rule = self.rule(response.status());
        if rule.verdict() == Verdict::SUCCESS {
            return Verdict::SUCCESS;
        }
        heed(rule.verdict(), rule.is_listed(), response.headers(), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_named_by_its_statuses() {
        assert!(ROWS.is_sorted_by(|(before, ..), (after, ..)| before < after));
        for (status, name, _) in ROWS {
            assert_eq!(*name, format!("status/{status}"));
        }
        for status in 100..1_000 {
            let _ = ByStatus::new().rule(StatusCode::from_u16(status).expect("a status"));
        }
    }

    #[test]
    fn the_last_word_on_a_status_counts() {
        let judge = ByStatus::new().on(StatusCode::CONFLICT, Verdict::PERMANENT);
        let other = judge.clone().on(StatusCode::CONFLICT, Verdict::WARMING).on(StatusCode::OK, Verdict::MALFORMED);
        assert_eq!(judge.rule(StatusCode::CONFLICT).verdict(), Verdict::PERMANENT);
        assert_eq!(other.rule(StatusCode::CONFLICT).verdict(), Verdict::WARMING);
        assert_eq!(other.rule(StatusCode::OK).verdict(), Verdict::MALFORMED);
        assert_eq!(other.rule(StatusCode::OK).name(), "status/own");
        assert_eq!(other.rule(StatusCode::CREATED).verdict(), Verdict::SUCCESS);
    }
}
