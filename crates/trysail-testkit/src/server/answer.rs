use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Serialize;
use trysail_core::Random;

use super::{error::ApiError, journal::Draw, request::EmbeddingRequest};
use crate::{Model, faults::Fault, model::normalise};

/// The answer to a request, on its way to JSON.
pub(super) struct Answer {
    model: String,
    base64: bool,
    tokens: usize,
    entries: Vec<(usize, Vec<f32>)>,
}

impl Answer {
    pub(super) fn new(request: EmbeddingRequest) -> Result<Self, ApiError> {
        let EmbeddingRequest { model, inputs, base64, dimensions } = request;
        if let Some(long) = inputs.iter().find(|input| input.len() > CONTEXT) {
            return Err(ApiError::too_long(long.len(), CONTEXT));
        }
        let tokens = inputs.iter().map(Vec::len).sum();
        if tokens > MOST_TOKENS {
            let message = format!("Requested {tokens} tokens, max {MOST_TOKENS} tokens per request");
            return Err(ApiError::bad_request(message).kind("max_tokens_per_request").code("max_tokens_per_request"));
        }
        let embed = |(index, input): (usize, Vec<u32>)| {
            let mut vector = Model::potion().embed_ids(&input).map_err(|id| {
                ApiError::bad_request(format!("Invalid 'input': {id} is no token of this model.")).param("input")
            })?;
            if dimensions < vector.len() {
                vector.truncate(dimensions);
                normalise(&mut vector);
            }
            Ok((index, vector))
        };
        let entries = inputs.into_iter().enumerate().map(embed).collect::<Result<_, _>>()?;
        Ok(Self { model, base64, tokens, entries })
    }

    /// Wrong, where the draw is a fault of content.
    pub(super) fn spoil(mut self, draw: Draw) -> Self {
        let entries = &mut self.entries;
        match draw.fault {
            Some(Fault::Empty) => entries.clear(),
            Some(Fault::WrongCount) => drop(entries.pop()),
            Some(Fault::Duplicate) => {
                let first = entries[0].clone();
                if entries.len() > 1 {
                    entries.pop();
                }
                entries.push(first);
            }
            Some(Fault::Nan) => entries[0].1[0] = f32::NAN,
            Some(Fault::Shuffled) => {
                // Sattolo's shuffle: no entry stays in its place.
                let random = Random::seeded(draw.ordinal);
                for last in (1..entries.len()).rev() {
                    entries.swap(last, random.below(last as u64) as usize);
                }
            }
            _ => {}
        }
        self
    }

    pub(super) fn into_json(self) -> Vec<u8> {
        let data = self.entries.into_iter().map(|(index, vector)| Entry {
            object: "embedding",
            index,
            embedding: if self.base64 { Embedding::Base64(encode(&vector)) } else { Embedding::Floats(vector) },
        });
        let usage = Usage { prompt_tokens: self.tokens, total_tokens: self.tokens };
        let list = List { object: "list", data: data.collect(), model: self.model, usage };
        serde_json::to_vec(&list).expect("plain data is valid JSON")
    }
}

#[derive(Serialize)]
struct List {
    object: &'static str,
    data: Vec<Entry>,
    model: String,
    usage: Usage,
}

#[derive(Serialize)]
struct Entry {
    object: &'static str,
    index: usize,
    embedding: Embedding,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Embedding {
    Floats(Vec<f32>),
    Base64(String),
}

#[derive(Serialize)]
struct Usage {
    prompt_tokens: usize,
    total_tokens: usize,
}

fn encode(vector: &[f32]) -> String {
    BASE64_STANDARD.encode(vector.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<_>>())
}

const CONTEXT: usize = 8192;
const MOST_TOKENS: usize = 300_000;
