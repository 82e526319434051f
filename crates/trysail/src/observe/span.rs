//! The span of a call; empty without the feature `tracing`.

#[cfg(feature = "tracing")]
pub(crate) use on::Span;

#[cfg(not(feature = "tracing"))]
pub(crate) use off::Span;

#[cfg(feature = "tracing")]
mod on {
    use std::time::Duration;

    use tracing::{debug_span, field::Empty};
    use trysail_retry::RetryReport;

    use crate::observe::labels::Labels;

    #[derive(Debug)]
    pub(crate) struct Span(tracing::Span);

    impl Span {
        pub(crate) fn new(Labels { origin, model }: &Labels) -> Self {
            Self(debug_span!(
                target: "trysail::call",
                "call",
                origin = &**origin,
                model = &**model,
                outcome = Empty,
                attempts = Empty,
                class = Empty,
                why = Empty,
                slept = Empty,
            ))
        }

        pub(crate) fn enter<T>(&self, work: impl FnOnce() -> T) -> T {
            self.0.in_scope(work)
        }

        /// `class` is that of the last failed attempt, `why` the reason for not making another.
        pub(crate) fn end(&self, outcome: &str, slept: Duration, report: &RetryReport) {
            self.0.record("outcome", outcome).record("attempts", report.attempts() - report.refusals());
            if let Some(last) = report.last() {
                self.0.record("class", last.class().as_str());
                self.0.record("slept", tracing::field::debug(slept));
            }
            if let Some(stop) = report.stop() {
                self.0.record("why", stop.as_str());
            }
        }
    }
}

#[cfg(not(feature = "tracing"))]
mod off {
    use std::time::Duration;

    use trysail_retry::RetryReport;

    use crate::observe::labels::Labels;

    #[derive(Debug)]
    pub(crate) struct Span;

    impl Span {
        pub(crate) const fn new(_: &Labels) -> Self {
            Self
        }

        pub(crate) fn enter<T>(&self, work: impl FnOnce() -> T) -> T {
            work()
        }

        pub(crate) const fn end(&self, _: &str, _: Duration, _: &RetryReport) {}
    }
}
