//! What all clones of a request share.

use std::{
    ops::Range,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use serde::Serialize;
use trysail_http::CallKey;

use crate::{api::Form, own::Own};

pub(super) struct Shared {
    pub(super) model: String,
    pub(super) inputs: Inputs,
    pub(super) dimensions: Option<usize>,
    pub(super) floats: bool,
    /// One for each endpoint and form that was asked for.
    pub(super) encoded: Mutex<Vec<Encoded>>,
}

/// A body, and the key that the attempts to send it share.
#[derive(Clone)]
pub(crate) struct Encoded {
    slot: usize,
    endpoint: Own,
    request: Own,
    pub(crate) body: Bytes,
    pub(crate) key: CallKey,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Inputs {
    Texts(Vec<String>),
    Tokens(Vec<Vec<u32>>),
}

impl Shared {
    /// The body for an endpoint, with what both of them say of their own.
    pub(super) fn encoded(&self, form: &Form, endpoint: &Own, request: &Own) -> Encoded {
        let is_it =
            |known: &&Encoded| known.slot == form.slot && known.endpoint == *endpoint && known.request == *request;
        let mut encoded = self.encoded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = encoded.iter().find(is_it) {
            return known.clone();
        }
        let others = endpoint.fields().filter(|(name, _)| request.fields().all(|(own, _)| own != *name));
        let body = form.fill(&self.model, &self.inputs, self.dimensions, others.chain(request.fields())).into();
        let (endpoint, request, key) = (endpoint.clone(), request.clone(), CallKey::default());
        let new = Encoded { slot: form.slot, endpoint, request, body, key };
        if encoded.len() == MOST_ENCODED {
            encoded.remove(0);
        }
        encoded.push(new.clone());
        new
    }

    /// The same for other `inputs`.
    pub(super) fn with(&self, inputs: Inputs) -> Self {
        Self {
            model: self.model.clone(),
            inputs,
            dimensions: self.dimensions,
            floats: self.floats,
            encoded: Mutex::default(),
        }
    }
}

impl Inputs {
    pub(super) const fn len(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.len(),
            Self::Tokens(tokens) => tokens.len(),
        }
    }

    pub(super) fn part(&self, range: Range<usize>) -> Self {
        match self {
            Self::Texts(texts) => Self::Texts(texts[range].to_vec()),
            Self::Tokens(tokens) => Self::Tokens(tokens[range].to_vec()),
        }
    }
}

/// How many bodies are kept; more endpoints than that take turns.
const MOST_ENCODED: usize = 8;
