pub(crate) mod history;
mod shared;

use std::{
    fmt,
    hash::BuildHasher,
    ops::Range,
    sync::{Arc, Mutex, atomic::Ordering::Relaxed},
    time::Duration,
};

use serde::Serialize;
use trysail_core::{Class, Limit, Remedy, Replay, Verdict};
use trysail_http::{Deadline, Idempotent, OrDeadline};

pub(crate) use self::shared::{Encoded, Notes};
use self::shared::{Inputs, Shared};
use crate::{InvalidPart, api::Form, capacity::Room, own::Own};

/// Texts to be embedded by a model.
///
/// A clone shares them and the encoded body, so a retry costs neither memory nor another encoding. `Debug` shows neither
/// the texts nor the values of one's own.
#[derive(Clone)]
pub struct EmbedRequest {
    shared: Arc<Shared>,
    own: Own,
    keyed: bool,
    deadline: Option<Deadline>,
    /// `None` unless a retry has marked it.
    attempt: Option<u32>,
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
        let shared =
            Shared { model, inputs, dimensions: None, floats: false, encoded: Mutex::default(), divisible: None };
        Self { shared: Arc::new(shared), own: Own::default(), keyed: false, deadline: None, attempt: None }
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

    /// A header of its own, such as the `Authorization` of a tenant; it takes the place of the endpoint's. All are taken
    /// for secrets. An `Idempotency-Key` is one for all attempts, and wins over [`keyed`](Self::keyed).
    ///
    /// # Errors
    ///
    /// It has a name, and a value of visible ASCII. What follows from the URL and the body is not one's own, nor is
    /// `x-retry-count`.
    pub fn header(self, name: &str, value: &str) -> Result<Self, InvalidPart> {
        Ok(Self { own: self.own.header(name, value)?, ..self })
    }

    /// A field of its own in the body, such as `user` or `input_type`; it takes the place of the endpoint's.
    ///
    /// # Errors
    ///
    /// Model, inputs, dimensions, and how vectors are encoded have words of their own, and are no fields. The value must
    /// be one that JSON knows.
    pub fn field(self, name: &str, value: impl Serialize) -> Result<Self, InvalidPart> {
        Ok(Self { own: self.own.field(name, value)?, ..self })
    }

    /// A parameter of its own in the URL; it is escaped, and takes the place of the endpoint's.
    ///
    /// # Errors
    ///
    /// It has a name, and all together are not longer than 8 KiB.
    pub fn query(self, name: &str, value: &str) -> Result<Self, InvalidPart> {
        Ok(Self { own: self.own.query(name, value)?, ..self })
    }

    /// Sends an `Idempotency-Key`: one for all attempts and for all clones, so that a server that knows the header acts
    /// on them once. Another body, such as that of a half, has another.
    pub fn keyed(self) -> Self {
        Self { keyed: true, ..self }
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

    /// How many tokens it is likely to be counted for: one for every four bytes of its texts.
    pub fn likely_tokens(&self) -> u64 {
        (self.bytes() as u64).div_ceil(4).max(self.len() as u64)
    }

    /// What tells a credential of its own, in place of the endpoint's, from that of another request: what `key` makes of it.
    /// `None` if it has none by one of the usual names (`Authorization`, `api-key`, …).
    pub fn credential(&self, key: &impl BuildHasher) -> Option<u64> {
        self.own.credential(key)
    }

    /// Its halves, if it was refused with `verdict` as too much at once.
    ///
    /// Whoever asks for them again and again ends with what was asked for too much, alone: at most 2 log2 n requests
    /// for each culprit among n inputs. `Batches` does so, and more.
    pub fn halves(&self, verdict: Verdict) -> Option<[Self; 2]> {
        let less = matches!(verdict.remedy(), Some(Remedy::Split | Remedy::Truncate));
        if verdict.class() != Class::Permanent || !less || self.len() < 2 {
            return None;
        }
        let middle = self.len() / 2;
        Some([self.part(0..middle, 1), self.part(middle..self.len(), 2)])
    }

    /// The inputs in `range`, as part number `part` of those it is divided into.
    pub(crate) fn part(&self, range: Range<usize>, part: u32) -> Self {
        let shared = Arc::new(self.shared.with(self.shared.inputs.part(range)));
        Self { shared, own: self.own.clone().part(part), ..*self }
    }

    /// Its parts that there is `room` for; two at least, if there are two inputs.
    pub(crate) fn parts(&self, room: Room) -> Vec<Self> {
        let mut ends = Vec::new();
        let (mut inputs, mut bytes) = (0, 0_usize);
        for (at, size) in self.shared.inputs.sizes().enumerate() {
            if inputs == room.inputs || (inputs > 0 && bytes.saturating_add(size) > room.bytes) {
                ends.push(at);
                (inputs, bytes) = (0, 0);
            }
            (inputs, bytes) = (inputs + 1, bytes.saturating_add(size));
        }
        if ends.is_empty() && self.len() > 1 {
            ends.push(self.len() / 2);
        }
        ends.push(self.len());
        let mut from = 0;
        let part = |(number, end): (usize, usize)| {
            let range = std::mem::replace(&mut from, end)..end;
            self.part(range, number as u32 + 1)
        };
        ends.into_iter().enumerate().map(part).collect()
    }

    /// For one who divides it if told so.
    pub(crate) fn divisible(self) -> Self {
        self.change(|shared| shared.divisible = Some(Notes::default()))
    }

    pub(crate) fn is_divisible(&self) -> bool {
        self.shared.divisible.is_some()
    }

    pub(crate) fn notes(&self) -> Option<&Notes> {
        self.shared.divisible.as_ref()
    }

    /// The same, for one whose answer is of use as long as that to `other`.
    pub(crate) fn in_time_of(self, other: &Self) -> Self {
        Self { deadline: other.deadline, ..self }
    }

    /// Asks in another form than the first, should that be what the server does not understand.
    pub(crate) fn ask_in_later_form(&self, later: usize) {
        if let Some(notes) = self.notes() {
            notes.later_form.store(later, Relaxed);
        }
    }

    /// How many forms later than usual it is asked in.
    pub(crate) fn later_form(&self) -> usize {
        self.notes().map_or(0, |notes| notes.later_form.load(Relaxed))
    }

    /// How large its inputs are together, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.shared.inputs.sizes().fold(0, usize::saturating_add)
    }

    /// Which attempt of a retry above it is, counted from 1.
    pub(crate) const fn attempt(&self) -> Option<u32> {
        self.attempt
    }

    pub(crate) const fn own(&self) -> &Own {
        &self.own
    }

    pub(crate) const fn is_keyed(&self) -> bool {
        self.keyed
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
    pub(crate) fn encoded(&self, form: &Form, endpoint: &Own) -> Encoded {
        self.shared.encoded(form, endpoint, &self.own)
    }

    /// `text` up to where it repeats one of the texts, should a server have echoed them.
    pub(crate) fn redact(&self, text: &str) -> String {
        let text = &*self.own.redact(text.to_owned());
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
        shared.encoded = Mutex::default();
        change(&mut shared);
        Self { shared: Arc::new(shared), ..self }
    }
}

impl Replay<EmbedRequest> for Idempotent {
    fn replay(&self, request: &EmbedRequest) -> Option<EmbedRequest> {
        request.attempt.is_none().then(|| request.clone())
    }

    /// Headers and parameters of its own may be secrets that are meant for one server.
    fn divert(&self, request: &EmbedRequest) -> Option<EmbedRequest> {
        (!request.own.may_hold_secrets()).then(|| request.clone())
    }

    fn mark(&self, request: &mut EmbedRequest, attempt: u32) {
        match request.attempt {
            // An outer count stays: the server wants to know how often it sees this call.
            Some(_) if attempt <= 1 => {}
            _ => request.attempt = Some(attempt),
        }
    }

    fn left(&self, request: &EmbedRequest) -> Option<Duration> {
        request.deadline.map(|deadline| deadline.left())
    }
}

impl Replay<EmbedRequest> for trysail_providers::Idempotent {
    fn replay(&self, request: &EmbedRequest) -> Option<EmbedRequest> {
        Idempotent.replay(request)
    }

    fn divert(&self, request: &EmbedRequest) -> Option<EmbedRequest> {
        Idempotent.divert(request)
    }

    fn mark(&self, request: &mut EmbedRequest, attempt: u32) {
        Idempotent.mark(request, attempt);
    }

    fn left(&self, request: &EmbedRequest) -> Option<Duration> {
        Idempotent.left(request)
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
            .field("own", &self.own)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}

/// How much of an input's beginning an echo is known by; servers cut what they repeat.
const ECHO: usize = 16;
/// What is shorter is a word that any message may hold.
const LEAST_ECHO: usize = 8;
