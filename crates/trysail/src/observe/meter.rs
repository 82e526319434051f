//! The metrics of calls; nothing without the feature `metrics`. `docs/metrics.md` lists them.

#[cfg(feature = "metrics")]
pub(crate) use on::{describe, record};

#[cfg(not(feature = "metrics"))]
pub(crate) use off::{describe, record};

#[cfg(feature = "metrics")]
mod on {
    use std::time::Duration;

    use metrics::{Label, Unit, counter, describe_counter, describe_histogram, histogram};
    use trysail_core::Class;
    use trysail_retry::RetryReport;

    use crate::observe::labels::Labels;

    pub(crate) fn describe() {
        describe_counter!(CALLS, Unit::Count, "calls that are over");
        describe_histogram!(DURATION, Unit::Seconds, "how long a call took, waits included");
        describe_counter!(ATTEMPTS, Unit::Count, "attempts that were sent");
        describe_counter!(RETRIES, Unit::Count, "failed attempts that were repeated");
        describe_counter!(GIVEN_UP, Unit::Count, "failed calls that were not repeated once more");
        describe_histogram!(SLEPT, Unit::Seconds, "how long a call waited between attempts, if it did");
    }

    pub(crate) fn record(
        labels: &Labels,
        outcome: &'static str,
        took: Duration,
        slept: Duration,
        report: &RetryReport,
    ) {
        counter!(CALLS, labels.and("outcome", outcome)).increment(1);
        histogram!(DURATION, labels.and("outcome", outcome)).record(took);
        counter!(ATTEMPTS, labels.to_vec()).increment((report.attempts() - report.refusals()).into());
        for class in Class::ALL {
            let retries = repeated(report, class);
            if retries > 0 {
                counter!(RETRIES, labels.and("class", class.as_str())).increment(retries.into());
            }
        }
        if let Some(stop) = report.stop() {
            counter!(GIVEN_UP, labels.and("reason", stop.as_str())).increment(1);
        }
        if !slept.is_zero() {
            histogram!(SLEPT, labels.to_vec()).record(slept);
        }
    }

    /// How many failures with `class` were followed by another attempt.
    fn repeated(report: &RetryReport, class: Class) -> u32 {
        let over = report.stop().is_some() || report.waiting().is_some();
        let last = over && report.last().is_some_and(|verdict| verdict.class() == class);
        report.failures(class) - u32::from(last)
    }

    impl Labels {
        pub(crate) fn to_vec(&self) -> Vec<Label> {
            vec![Label::new("origin", self.origin.clone()), Label::new("model", self.model.clone())]
        }

        /// One more: which of a few, known when this was compiled.
        pub(crate) fn and(&self, name: &'static str, value: &'static str) -> Vec<Label> {
            let mut labels = self.to_vec();
            labels.push(Label::from_static_parts(name, value));
            labels
        }
    }

    const CALLS: &str = "trysail_calls_total";
    const DURATION: &str = "trysail_call_duration_seconds";
    const ATTEMPTS: &str = "trysail_attempts_total";
    const RETRIES: &str = "trysail_retries_total";
    const GIVEN_UP: &str = "trysail_given_up_total";
    const SLEPT: &str = "trysail_slept_seconds";
}

#[cfg(not(feature = "metrics"))]
mod off {
    use std::time::Duration;

    use trysail_retry::RetryReport;

    use crate::observe::labels::Labels;

    pub(crate) const fn describe() {}

    pub(crate) const fn record(_: &Labels, _: &str, _: Duration, _: Duration, _: &RetryReport) {}
}
