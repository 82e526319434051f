//! The same judges where errors have been boxed.

use std::error::Error;

use bytes::Bytes;
use http::Response;
use trysail_core::{Classifier, Verdict};
use trysail_http::transport;

use crate::{Provider, Providers, judgement};

impl Classifier<Response<Bytes>, BoxError> for Providers {
    fn classify(&self, outcome: Result<&Response<Bytes>, &BoxError>) -> Verdict {
        classify(outcome, None)
    }

    fn status(&self, response: &Response<Bytes>) -> Option<u16> {
        Some(response.status().as_u16())
    }
}

impl Classifier<Response<Bytes>, BoxError> for Provider {
    fn classify(&self, outcome: Result<&Response<Bytes>, &BoxError>) -> Verdict {
        classify(outcome, Some(*self))
    }

    fn status(&self, response: &Response<Bytes>) -> Option<u16> {
        Some(response.status().as_u16())
    }
}

fn classify(outcome: Result<&Response<Bytes>, &BoxError>, only: Option<Provider>) -> Verdict {
    outcome.map_or_else(|error| transport::verdict(&**error), |response| judgement::verdict(response, only))
}

type BoxError = Box<dyn Error + Send + Sync>;
