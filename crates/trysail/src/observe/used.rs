//! What the requests of typed calls have used up.

#[cfg(feature = "embeddings")]
pub(crate) use on::Used;

#[cfg(not(feature = "embeddings"))]
pub(crate) use off::Used;

#[cfg(feature = "embeddings")]
mod on {
    use metrics::{Unit, counter, describe_counter};
    use trysail_embeddings::Usage;

    use crate::observe::{Gauges, labels::Labels};

    #[derive(Clone, Debug)]
    pub(crate) struct Used(Option<Usage>);

    impl Gauges {
        /// What is used up, of [`Embeddings::usage`](crate::Embeddings::usage).
        pub fn usage(mut self, usage: &Usage) -> Self {
            self.used = Used(Some(usage.clone()));
            self
        }
    }

    impl Used {
        pub(crate) fn new() -> Self {
            describe_counter!(REQUESTS, Unit::Count, "requests to the server, whatever became of them");
            describe_counter!(INPUTS, Unit::Count, "texts in them");
            describe_counter!(BYTES, Unit::Bytes, "how large these were");
            describe_counter!(TOKENS, Unit::Count, "tokens in them, as counted by the server or else as likely");
            Self(None)
        }

        pub(crate) fn publish(&self, labels: &Labels) {
            let Some(usage) = &self.0 else { return };
            let now = usage.snapshot();
            for (outcome, used) in
                [("answered", now.answered()), ("failed", now.failed()), ("abandoned", now.abandoned())]
            {
                let counts = [
                    (REQUESTS, used.requests()),
                    (INPUTS, used.inputs()),
                    (BYTES, used.bytes()),
                    (TOKENS, used.tokens()),
                ];
                for (name, count) in counts {
                    counter!(name, labels.and("outcome", outcome)).absolute(count);
                }
            }
        }
    }

    const REQUESTS: &str = "trysail_usage_requests_total";
    const INPUTS: &str = "trysail_usage_inputs_total";
    const BYTES: &str = "trysail_usage_bytes_total";
    const TOKENS: &str = "trysail_usage_tokens_total";
}

#[cfg(not(feature = "embeddings"))]
mod off {
    use crate::observe::labels::Labels;

    #[derive(Clone, Debug)]
    pub(crate) struct Used;

    impl Used {
        pub(crate) const fn new() -> Self {
            Self
        }

        pub(crate) const fn publish(&self, _: &Labels) {}
    }
}
