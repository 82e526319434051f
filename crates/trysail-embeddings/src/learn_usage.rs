use trysail_core::{Learn, Lesson};

use crate::{EmbedError, EmbedResponse, RerankResponse, SparseResponse};

/// Learns what a server allows from its heads, and what a call has cost from the tokens that it has counted.
///
/// For a throttle whose cost is in tokens, as [`EmbedRequest::likely_tokens`](crate::EmbedRequest::likely_tokens) is.
#[derive(Clone, Copy, Debug, Default)]
pub struct LearnUsage;

impl Learn<EmbedResponse, EmbedError> for LearnUsage {
    fn learn(&self, outcome: Result<&EmbedResponse, &EmbedError>) -> Lesson {
        match outcome {
            Ok(answer) => Lesson { allowance: answer.allowance(), cost: answer.tokens() },
            Err(error) => failed(error),
        }
    }
}

impl Learn<RerankResponse, EmbedError> for LearnUsage {
    fn learn(&self, outcome: Result<&RerankResponse, &EmbedError>) -> Lesson {
        outcome.map_or_else(failed, |answer| Lesson { allowance: answer.allowance(), cost: None })
    }
}

impl Learn<SparseResponse, EmbedError> for LearnUsage {
    fn learn(&self, outcome: Result<&SparseResponse, &EmbedError>) -> Lesson {
        outcome.map_or_else(failed, |answer| Lesson { allowance: answer.allowance(), cost: None })
    }
}

fn failed(error: &EmbedError) -> Lesson {
    Lesson { allowance: error.allowance(), cost: None }
}
