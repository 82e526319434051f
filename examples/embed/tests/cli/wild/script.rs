use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{encode::Encoding, right::Right};

/// A server, what is sent to it, and what is right.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) about: String,
    /// So many lines are sent, of which those in `odd` are other ones.
    pub(super) lines: u64,
    pub(super) odd: BTreeMap<u64, String>,
    /// The whole file instead, with the texts that stand in it.
    pub(super) file_hex: Option<String>,
    pub(super) texts: BTreeMap<u64, String>,
    pub(super) path: Option<String>,
    pub(super) speaks: Dialect,
    pub(super) args: Option<Vec<String>>,
    pub(super) limit_s: Option<u64>,
    /// The first rule that fits a request answers it; without one the answer is good.
    pub(super) script: Vec<Rule>,
    pub(super) right: OneOrMore<Right>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Dialect {
    #[default]
    Openai,
    Tei,
    Ollama,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMore<T> {
    One(T),
    More(Vec<T>),
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Rule {
    pub(super) when: When,
    pub(super) answer: Option<Edits>,
    pub(super) status: u16,
    pub(super) body: Value,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) gzip: bool,
    pub(super) encoding: Option<Encoding>,
    pub(super) before_hex: String,
    pub(super) pause_before_body_s: u64,
    pub(super) hang_up: bool,
}

/// All that is said must be so.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct When {
    pub(super) texts_over: Option<usize>,
    pub(super) bytes_over: Option<usize>,
    pub(super) text_is: Option<String>,
    pub(super) text_holds: Option<String>,
    pub(super) text_over: Option<usize>,
    pub(super) format: Option<String>,
    pub(super) field: Option<String>,
    pub(super) request_from: Option<usize>,
    pub(super) request_to: Option<usize>,
    pub(super) every: Option<usize>,
    pub(super) path: Option<String>,
}

/// What is changed in a good answer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Edits {
    pub(super) dims: Option<usize>,
    pub(super) leave_out: Option<String>,
    pub(super) only_first: Option<usize>,
    pub(super) at: Option<String>,
    pub(super) set: Value,
    pub(super) wrapped: usize,
    /// How items are numbered.
    pub(super) index: Index,
    pub(super) reversed: bool,
    /// Base64 for who asks for it.
    pub(super) as_asked: bool,
    pub(super) top: Map<String, Value>,
    /// An answer with one item, which is repeated.
    pub(super) like: Option<Value>,
    /// In the words of another API.
    pub(super) speaks: Option<Dialect>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Index {
    #[default]
    Right,
    Zero,
    FromOne,
    Text,
    Decimal,
    Null,
}

/// A request as the server has read it.
pub(super) struct Asked {
    /// Counted from 1.
    pub(super) number: usize,
    pub(super) path: String,
    pub(super) texts: Vec<String>,
    pub(super) body: Value,
    pub(super) bytes: usize,
}

impl Case {
    pub(super) fn texts(&self) -> BTreeMap<u64, String> {
        if self.file_hex.is_some() {
            return self.texts.clone();
        }
        let plain = (1..=self.lines).map(|n| (n, format!("line number {n} of a log book")));
        plain.chain(self.odd.clone()).collect()
    }

    pub(super) fn input(&self) -> Vec<u8> {
        match &self.file_hex {
            Some(hex) => from_hex(hex),
            None => self.texts().into_values().flat_map(|text| (text + "\n").into_bytes()).collect(),
        }
    }

    /// Of so many lines, with some that are other ones.
    pub(super) fn of_lines(lines: u64, odd: impl IntoIterator<Item = (u64, String)>) -> Self {
        Self { lines, odd: odd.into_iter().collect(), ..Self::default() }
    }

    /// Of a whole file, in which these texts stand.
    pub(super) fn of_file(bytes: &[u8], texts: BTreeMap<u64, String>) -> Self {
        let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { file_hex: Some(hex), texts, ..Self::default() }
    }
}

impl When {
    pub(super) fn fits(&self, asked: &Asked) -> bool {
        let Asked { number, path, texts, body, bytes } = asked;
        let format = body.get("encoding_format");
        let any = |fits: &dyn Fn(&String) -> bool| texts.iter().any(fits);
        self.texts_over.is_none_or(|most| texts.len() > most)
            && self.bytes_over.is_none_or(|most| *bytes > most)
            && self.text_is.as_ref().is_none_or(|own| any(&|text| text == own))
            && self.text_holds.as_ref().is_none_or(|own| any(&|text| text.contains(own)))
            && self.text_over.is_none_or(|most| any(&|text| text.chars().count() > most))
            && self.format.as_ref().is_none_or(|own| format.is_some_and(|format| own == "any" || format == own))
            && self.field.as_ref().is_none_or(|own| body.get(own).is_some())
            && self.request_from.is_none_or(|first| *number >= first)
            && self.request_to.is_none_or(|last| *number <= last)
            && self.every.is_none_or(|every| number.is_multiple_of(every))
            && self.path.as_ref().is_none_or(|own| path == own)
    }
}

impl Edits {
    pub(super) fn answer(&self, asked: &Asked, speaks: Dialect) -> String {
        let kept = asked.texts.iter().filter(|text| self.leave_out.as_ref() != Some(text));
        let kept = kept.take(self.only_first.unwrap_or(usize::MAX));
        let base64 = self.as_asked && asked.body["encoding_format"] == "base64";
        let vectors = kept.map(|text| {
            let own = vector(text, self.dims.unwrap_or(4));
            let own = match self.at.as_ref() == Some(text) {
                true => self.set.clone(),
                false if base64 => json!(in_base64(&own)),
                false => json!(own),
            };
            (0..self.wrapped).fold(own, |own, _| json!([own]))
        });
        let vectors: Vec<Value> = vectors.collect();
        let whole = match self.speaks.unwrap_or(speaks) {
            Dialect::Tei => json!(vectors),
            Dialect::Ollama => json!({ "model": "m", "embeddings": vectors }),
            Dialect::Openai => match &self.like {
                Some(like) => repeated(like, vectors),
                None => self.list(vectors),
            },
        };
        whole.to_string().replace("\"NaN\"", "NaN")
    }

    fn list(&self, vectors: Vec<Value>) -> Value {
        let item = |(at, vector): (usize, Value)| {
            let index = match self.index {
                Index::Right => json!(at),
                Index::Zero => json!(0),
                Index::FromOne => json!(at + 1),
                Index::Text => json!(at.to_string()),
                Index::Decimal => json!(at as f64),
                Index::Null => Value::Null,
            };
            json!({ "object": "embedding", "index": index, "embedding": vector })
        };
        let mut data: Vec<_> = vectors.into_iter().enumerate().map(item).collect();
        if self.reversed {
            data.reverse();
        }
        let usage = json!({ "prompt_tokens": 1, "total_tokens": 1 });
        let mut whole = json!({ "object": "list", "data": data, "model": "m", "usage": usage });
        whole.as_object_mut().unwrap().extend(self.top.clone());
        whole
    }
}

impl<T: Default> Default for OneOrMore<T> {
    fn default() -> Self {
        Self::One(T::default())
    }
}

impl<T> OneOrMore<T> {
    pub(super) fn as_slice(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::More(more) => more,
        }
    }
}

/// A function of the text, so that the vector of another line is noticed.
pub(super) fn vector(text: &str, dims: usize) -> Vec<f32> {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let bytes = hasher.finish().to_le_bytes();
    (0..dims).map(|at| (f32::from(bytes[at % bytes.len()]) + 1.0) / 256.0).collect()
}

pub(super) fn from_hex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// An answer like one that has one item, in the place of which there is one for each vector.
fn repeated(like: &Value, vectors: Vec<Value>) -> Value {
    let mut whole = like.clone();
    let list = if whole.is_array() { &mut whole } else { &mut whole["data"] };
    let one = list[0].clone();
    let item = |(at, vector): (usize, Value)| {
        let mut item = one.clone();
        item["embedding"] = if one["embedding"][0].is_array() { json!([vector]) } else { vector };
        if one.get("index").is_some() {
            item["index"] = json!(at);
        }
        item
    };
    *list = vectors.into_iter().enumerate().map(item).collect();
    whole
}

fn in_base64(vector: &[f32]) -> String {
    let bytes: Vec<_> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
    let digits = |chunk: &[u8]| {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        let digit = |at| ALPHABET[(bits >> (18 - 6 * at)) as usize & 63];
        (0..4).map(move |at| if at > chunk.len() { '=' } else { char::from(digit(at)) }).collect::<String>()
    };
    bytes.chunks(3).map(digits).collect()
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
