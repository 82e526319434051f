use std::{any::Any, error::Error};

use bytes::Bytes;
use http::Response;
use trysail_core::{Learn, Lesson};
use trysail_http::rate_limit::allowance;
use trysail_throttle::Cost;

/// Counts what calls cost in tokens, and learns what is left of an account, for calls of every kind.
///
/// What it is asked about it knows by its type. Typed requests say how many tokens they are likely to be counted for, typed
/// answers how many they were, and the heads of all answers what is left. A request of any other type costs one: nobody
/// reads its body. How much less is left after it is then what the head says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tokens;

impl<Req: 'static> Cost<Req> for Tokens {
    #[inline]
    fn cost(&self, request: &Req) -> u64 {
        typed::cost(request).unwrap_or(1)
    }
}

impl<Res: 'static, Err: 'static> Learn<Res, Err> for Tokens {
    #[inline]
    fn learn(&self, outcome: Result<&Res, &Err>) -> Lesson {
        match outcome {
            Ok(answer) => typed::answered(answer).or_else(|| head(answer)),
            Err(error) => failed(error),
        }
        .unwrap_or_default()
    }
}

#[inline]
fn head(answer: &dyn Any) -> Option<Lesson> {
    let answer = answer.downcast_ref::<Response<Bytes>>()?;
    Some(Lesson { allowance: allowance(answer.headers()), cost: None })
}

#[inline]
fn failed<E: 'static>(error: &E) -> Option<Lesson> {
    let error: &dyn Any = error;
    match error.downcast_ref::<Box<dyn Error + Send + Sync>>() {
        Some(boxed) => typed::boxed(&**boxed).or_else(|| plain::boxed(&**boxed)),
        None => typed::failed(error).or_else(|| plain::failed(error)),
    }
}

/// Calls of `Embeddings`, `Sparse` and `Rerank`.
#[cfg(feature = "embeddings")]
mod typed {
    use std::{any::Any, error::Error};

    use trysail_core::{Learn, Lesson};
    use trysail_embeddings::{
        EmbedError, EmbedRequest, EmbedResponse, LearnUsage, RerankRequest, RerankResponse, SparseResponse,
    };

    #[inline]
    pub(super) fn cost(request: &dyn Any) -> Option<u64> {
        let texts = request.downcast_ref().map(EmbedRequest::likely_tokens);
        texts.or_else(|| request.downcast_ref().map(RerankRequest::likely_tokens))
    }

    #[inline]
    pub(super) fn answered(answer: &dyn Any) -> Option<Lesson> {
        let dense = answer.downcast_ref().map(|answer: &EmbedResponse| LearnUsage.learn(Ok(answer)));
        dense
            .or_else(|| answer.downcast_ref().map(|answer: &RerankResponse| LearnUsage.learn(Ok(answer))))
            .or_else(|| answer.downcast_ref().map(|answer: &SparseResponse| LearnUsage.learn(Ok(answer))))
    }

    #[inline]
    pub(super) fn failed(error: &dyn Any) -> Option<Lesson> {
        error.downcast_ref().map(lesson)
    }

    pub(super) fn boxed(error: &(dyn Error + Send + Sync + 'static)) -> Option<Lesson> {
        error.downcast_ref().map(lesson)
    }

    fn lesson(error: &EmbedError) -> Lesson {
        Lesson { allowance: error.allowance(), cost: None }
    }
}

#[cfg(not(feature = "embeddings"))]
mod typed {
    use std::{any::Any, error::Error};

    use trysail_core::Lesson;

    pub(super) const fn cost(_: &dyn Any) -> Option<u64> {
        None
    }

    pub(super) const fn answered(_: &dyn Any) -> Option<Lesson> {
        None
    }

    pub(super) const fn failed(_: &dyn Any) -> Option<Lesson> {
        None
    }

    pub(super) const fn boxed(_: &(dyn Error + Send + Sync + 'static)) -> Option<Lesson> {
        None
    }
}

/// Calls of plain HTTP through the client that comes with it.
#[cfg(feature = "client")]
mod plain {
    use std::{any::Any, error::Error};

    use trysail_core::{Learn, Lesson};
    use trysail_http::rate_limit::LearnHead;

    use crate::HttpError;

    #[inline]
    pub(super) fn failed(error: &dyn Any) -> Option<Lesson> {
        error.downcast_ref().map(lesson)
    }

    pub(super) fn boxed(error: &(dyn Error + Send + Sync + 'static)) -> Option<Lesson> {
        error.downcast_ref().map(lesson)
    }

    fn lesson(error: &HttpError) -> Lesson {
        LearnHead.learn(Err(error))
    }
}

#[cfg(not(feature = "client"))]
mod plain {
    use std::{any::Any, error::Error};

    use trysail_core::Lesson;

    pub(super) const fn failed(_: &dyn Any) -> Option<Lesson> {
        None
    }

    pub(super) const fn boxed(_: &(dyn Error + Send + Sync + 'static)) -> Option<Lesson> {
        None
    }
}
