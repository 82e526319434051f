use std::{
    fmt,
    ops::Range,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use serde::Serialize;
use trysail_core::{Class, Limit, Remedy, Replay, Verdict};
use trysail_http::{Deadline, Idempotent, OrDeadline};

use crate::api::Form;

/// Texts to be embedded by a model.
///
/// A clone shares them and the encoded body, so a retry costs neither memory nor another encoding. `Debug` does not
/// show the texts.
#[derive(Clone)]
pub struct EmbedRequest {
    shared: Arc<Shared>,
    deadline: Option<Deadline>,
    attempt: u32,
}

struct Shared {
    model: String,
    inputs: Inputs,
    dimensions: Option<usize>,
    floats: bool,
    bodies: [OnceLock<Bytes>; Form::COUNT],
}

#[derive(Serialize)]
#[serde(untagged)]
enum Inputs {
    Texts(Vec<String>),
    Tokens(Vec<Vec<u32>>),
}

impl EmbedRequest {
    /// Asks `model` for a vector of each of `texts`.
    pub fn new<T: Into<String>>(model: impl Into<String>, texts: impl IntoIterator<Item = T>) -> Self {
        Self::of(model.into(), Inputs::Texts(texts.into_iter().map(Into::into).collect()))
    }

    /// Asks `model` for a vector of each list of token numbers.
    pub fn tokens(model: impl Into<String>, tokens: impl IntoIterator<Item = Vec<u32>>) -> Self {
        Self::of(model.into(), Inputs::Tokens(tokens.into_iter().collect()))
    }

    fn of(model: String, inputs: Inputs) -> Self {
        let shared = Shared { model, inputs, dimensions: None, floats: false, bodies: Default::default() };
        Self { shared: Arc::new(shared), deadline: None, attempt: 1 }
    }

    /// Asks for vectors of so many dimensions; an answer with others is malformed.
    pub fn dimensions(self, dimensions: usize) -> Self {
        self.change(|shared| shared.dimensions = Some(dimensions))
    }

    /// Asks for lists of numbers, where base64 is the default because it is shorter and exact.
    pub fn floats(self) -> Self {
        self.change(|shared| shared.floats = true)
    }

    /// When the answer stops being of use; retries and timeouts around keep to it.
    pub fn deadline(self, deadline: Deadline) -> Self {
        Self { deadline: Some(deadline), ..self }
    }

    /// The model that is asked.
    pub fn model(&self) -> &str {
        &self.shared.model
    }

    /// How many vectors are asked for.
    pub fn len(&self) -> usize {
        self.shared.inputs.len()
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its halves, if it was refused with `verdict` as too much at once.
    ///
    /// Whoever asks for them again and again ends with what was asked for too much, alone: at most 2 log2 n requests
    /// for each culprit among n inputs. `Batches` does so.
    pub fn halves(&self, verdict: Verdict) -> Option<[Self; 2]> {
        let less = matches!(verdict.remedy(), Some(Remedy::Split | Remedy::Truncate));
        if verdict.class() != Class::Permanent || !less || self.len() < 2 {
            return None;
        }
        let middle = self.len() / 2;
        let half = |range| Arc::new(self.shared.with(self.shared.inputs.part(range)));
        Some([0..middle, middle..self.len()].map(|range| Self { shared: half(range), attempt: 1, ..*self }))
    }

    /// Which attempt at this request it is, counted from 1.
    pub(crate) const fn attempt(&self) -> u32 {
        self.attempt
    }

    pub(crate) const fn own_deadline(&self) -> Option<Deadline> {
        self.deadline
    }

    pub(crate) fn wanted_dimensions(&self) -> Option<usize> {
        self.shared.dimensions
    }

    pub(crate) fn wants_floats(&self) -> bool {
        self.shared.floats
    }

    /// The body, encoded once for all attempts.
    pub(crate) fn body(&self, form: &Form) -> Bytes {
        let Shared { model, inputs, dimensions, bodies, .. } = &*self.shared;
        bodies[form.slot].get_or_init(|| form.fill(model, inputs, *dimensions).into()).clone()
    }

    /// `text` up to where it repeats one of the texts, should a server have echoed them.
    pub(crate) fn redact(&self, text: &str) -> String {
        let Inputs::Texts(texts) = &self.shared.inputs else { return text.to_owned() };
        let begins = |input: &String| {
            let start = input.char_indices().nth(ECHO).map_or(input.as_str(), |(end, _)| &input[..end]);
            (start.len() >= LEAST_ECHO).then(|| text.find(start)).flatten()
        };
        match texts.iter().filter_map(begins).min() {
            Some(echo) => format!("{}…", &text[..echo]),
            None => text.to_owned(),
        }
    }

    fn change(self, change: impl FnOnce(&mut Shared)) -> Self {
        let mut shared = Arc::try_unwrap(self.shared)
            .unwrap_or_else(|shared| shared.with(shared.inputs.part(0..shared.inputs.len())));
        shared.bodies = Default::default();
        change(&mut shared);
        Self { shared: Arc::new(shared), ..self }
    }
}

impl Shared {
    /// The same for other `inputs`.
    fn with(&self, inputs: Inputs) -> Self {
        Self { model: self.model.clone(), inputs, bodies: Default::default(), ..*self }
    }
}

impl Inputs {
    const fn len(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.len(),
            Self::Tokens(tokens) => tokens.len(),
        }
    }

    fn part(&self, range: Range<usize>) -> Self {
        match self {
            Self::Texts(texts) => Self::Texts(texts[range].to_vec()),
            Self::Tokens(tokens) => Self::Tokens(tokens[range].to_vec()),
        }
    }
}

impl Replay<EmbedRequest> for Idempotent {
    fn replay(&self, request: &EmbedRequest) -> Option<EmbedRequest> {
        Some(request.clone())
    }

    fn mark(&self, request: &mut EmbedRequest, attempt: u32) {
        request.attempt = attempt;
    }

    fn left(&self, request: &EmbedRequest) -> Option<Duration> {
        request.deadline.map(|deadline| deadline.left())
    }
}

impl<L> Limit<EmbedRequest> for OrDeadline<L>
where
    L: Limit<EmbedRequest>,
{
    fn limit(&self, request: &EmbedRequest) -> Option<Duration> {
        self.0.limit(request)
    }

    fn left(&self, request: &EmbedRequest) -> Option<Duration> {
        let own = request.deadline.map(|deadline| deadline.left());
        self.0.left(request).into_iter().chain(own).min()
    }
}

impl fmt::Debug for EmbedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbedRequest")
            .field("model", &self.shared.model)
            .field("inputs", &self.len())
            .field("dimensions", &self.shared.dimensions)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}

/// How much of an input's beginning an echo is known by; servers cut what they repeat.
const ECHO: usize = 16;
/// What is shorter is a word that any message may hold.
const LEAST_ECHO: usize = 8;
