//! What all clones of a request share.

use std::{
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, atomic::AtomicUsize},
};

use bytes::Bytes;
use serde::Serialize;
use trysail_http::CallKey;

use super::{
    EmbedRequest,
    history::{History, Told},
};
use crate::{api::Form, capacity::Capacity, own::Own};

pub(super) struct Shared {
    pub(super) model: String,
    pub(super) inputs: Inputs,
    pub(super) dimensions: Option<usize>,
    pub(super) floats: bool,
    /// One for each endpoint and form that was asked for.
    pub(super) encoded: Mutex<Vec<Encoded>>,
    /// Of one that whoever sends it will divide, if told so.
    pub(super) divisible: Option<Notes>,
}

/// What became of it, between whoever sends it and the service that does: the policies in between pass on no more than
/// verdicts.
#[derive(Default)]
pub(crate) struct Notes {
    attempts: Mutex<(History, Told)>,
    /// How many forms later than usual it is asked in.
    pub(crate) later_form: AtomicUsize,
    /// An input of the same run that was answered before, and so will be if the server is there.
    pub(crate) canary: OnceLock<EmbedRequest>,
    /// What is known of the server it was sent to.
    pub(crate) capacity: OnceLock<Arc<Capacity>>,
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
            divisible: self.divisible.as_ref().map(Notes::inherited),
        }
    }
}

impl Notes {
    pub(crate) fn attempts(&self) -> MutexGuard<'_, (History, Told)> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn inherited(&self) -> Self {
        let (history, _) = *self.attempts();
        Self {
            attempts: Mutex::new((history.inherited(), Told::Nothing)),
            later_form: AtomicUsize::new(0),
            canary: OnceLock::new(),
            capacity: self.capacity.clone(),
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

    /// The size of each in bytes, as far as it is known: of a token about four.
    pub(super) fn sizes(&self) -> Box<dyn Iterator<Item = usize> + '_> {
        match self {
            Self::Texts(texts) => Box::new(texts.iter().map(String::len)),
            Self::Tokens(tokens) => Box::new(tokens.iter().map(|tokens| tokens.len().saturating_mul(4))),
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
