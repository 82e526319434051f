use std::error::Error;

use http::Response;
use trysail_core::{Classifier, Verdict};

use crate::{ByStatus, transport};

/// A judge for services whose errors are boxed, made by [`ByStatus::boxed`].
///
/// A type of its own, because a `Box<dyn Error>` is no `Error`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Boxed<C>(pub(super) C);

impl<B, E> Classifier<Response<B>, E> for ByStatus
where
    E: Error + 'static,
{
    fn classify(&self, outcome: Result<&Response<B>, &E>) -> Verdict {
        outcome.map_or_else(|error| transport::verdict(error), |response| self.judge(response))
    }

    fn status(&self, response: &Response<B>) -> Option<u16> {
        Some(response.status().as_u16())
    }
}

impl<B> Classifier<Response<B>, BoxError> for Boxed<ByStatus> {
    fn classify(&self, outcome: Result<&Response<B>, &BoxError>) -> Verdict {
        outcome.map_or_else(|error| transport::verdict(&**error), |response| self.0.judge(response))
    }

    fn status(&self, response: &Response<B>) -> Option<u16> {
        Some(response.status().as_u16())
    }
}

type BoxError = Box<dyn Error + Send + Sync>;
