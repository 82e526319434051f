//! The same judges where errors have been boxed.

use std::error::Error;

use http::Response;
use trysail_core::{Classifier, Verdict};
use trysail_http::{CollectedBody, transport};

use crate::{Provider, Providers, judgement};

impl<R: CollectedBody> Classifier<Response<R>, BoxError> for Providers {
    fn classify(&self, outcome: Result<&Response<R>, &BoxError>) -> Verdict {
        outcome.map_or_else(|error| transport::verdict(&**error), |response| judgement::of_response(response, None))
    }

    fn status(&self, response: &Response<R>) -> Option<u16> {
        Some(response.status().as_u16())
    }
}

impl<R: CollectedBody> Classifier<Response<R>, BoxError> for Provider {
    fn classify(&self, outcome: Result<&Response<R>, &BoxError>) -> Verdict {
        outcome
            .map_or_else(|error| transport::verdict(&**error), |response| judgement::of_response(response, Some(*self)))
    }

    fn status(&self, response: &Response<R>) -> Option<u16> {
        Some(response.status().as_u16())
    }
}

type BoxError = Box<dyn Error + Send + Sync>;
