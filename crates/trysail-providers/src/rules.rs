use bytes::Bytes;
use http::Response;
use trysail_core::{Classifier, Verdict};

/// A classifier with a rule of one's own in front, which may replace its verdict on an answer.
///
/// A verdict is adjusted as everywhere: `.after(…)` adds a hint, `.once()` forbids a retry. A rule can be a closure
/// or hold [`Rule`](crate::Rule)s that were read from a file; of several the last has the last word.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use trysail_core::Verdict;
/// use trysail_providers::{Complaint, Providers};
///
/// let judge = Providers
///     // This gateway answers 404 until its models are registered.
///     .rule(|answer, verdict| if answer.status() == 404 { Verdict::WARMING } else { verdict })
///     // Its 503 never lasts less than two seconds.
///     .rule(|answer, verdict| if answer.status() == 503 { verdict.after(Duration::from_secs(2)) } else { verdict })
///     // And this one has to be seen by people.
///     .rule(|answer, verdict| match Complaint::of(answer) {
///         Some(complaint) if complaint.code() == Some("needs_attention") => verdict.once(),
///         _ => verdict,
///     });
/// # let _ = judge;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Rules<C, F> {
    inner: C,
    rule: F,
}

impl<C, F> Rules<C, F> {
    pub(crate) const fn new(inner: C, rule: F) -> Self {
        Self { inner, rule }
    }

    /// With one more rule, which sees what those before made of the answer.
    pub fn rule<G>(self, rule: G) -> Rules<Self, G>
    where
        G: Fn(&Response<Bytes>, Verdict) -> Verdict,
    {
        Rules::new(self, rule)
    }
}

impl<C, F, E> Classifier<Response<Bytes>, E> for Rules<C, F>
where
    C: Classifier<Response<Bytes>, E>,
    F: Fn(&Response<Bytes>, Verdict) -> Verdict,
{
    fn classify(&self, outcome: Result<&Response<Bytes>, &E>) -> Verdict {
        let verdict = self.inner.classify(outcome);
        outcome.map_or(verdict, |response| (self.rule)(response, verdict))
    }

    fn status(&self, response: &Response<Bytes>) -> Option<u16> {
        self.inner.status(response)
    }
}
