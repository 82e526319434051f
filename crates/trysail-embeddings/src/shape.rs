//! Reads an answer of any shape, in one pass.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

use crate::api::Api;

/// What an answer holds, as it stands there.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) items: Option<Vec<Item>>,
    pub(crate) model: Option<String>,
    pub(crate) tokens: Option<u64>,
}

/// A vector, with or without the place it belongs to.
pub(crate) struct Item {
    pub(crate) index: Index,
    pub(crate) vector: Vector,
}

/// The place that an answer gives a vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Index {
    /// That at which it stands.
    #[default]
    Missing,
    At(u64),
    /// No place at all: `-1`, `1.5`, a text.
    Odd,
}

pub(crate) enum Vector {
    Floats(Vec<f32>),
    /// Four bytes for each value.
    Base64(Vec<u8>),
    NotBase64,
}

/// The answer of a server that speaks `api`.
pub(crate) fn read(body: &[u8], api: &Api) -> serde_json::Result<Answer> {
    let mut answer = Answer::default();
    let mut json = serde_json::Deserializer::from_slice(body);
    Node { answer: &mut answer, vectors: api.vectors, tokens: api.tokens }.deserialize(&mut json)?;
    json.end()?;
    Ok(answer)
}

/// A place in an answer, and the way on to the vectors.
struct Node<'a> {
    answer: &'a mut Answer,
    vectors: &'static [&'static str],
    tokens: &'static str,
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if !self.vectors.is_empty() {
            return deserializer.deserialize_map(self);
        }
        self.answer.items = Some(Vec::deserialize(deserializer)?);
        Ok(())
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object that holds vectors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { answer, vectors, tokens } = self;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match (&*key, vectors) {
                (key, [name, vectors @ ..]) if key == *name => {
                    map.next_value_seed(Node { answer: &mut *answer, vectors, tokens })?;
                }
                (key, _) if key == tokens => answer.tokens = map.next_value::<Tokens>()?.count(),
                ("model", _) => answer.model = map.next_value()?,
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(())
    }
}

/// A count of tokens, wherever it stands; who writes it otherwise does not count.
#[derive(Deserialize)]
#[serde(untagged)]
enum Tokens {
    Count(u64),
    Usage {
        total_tokens: Option<u64>,
        prompt_tokens: Option<u64>,
        input_tokens: Option<u64>,
        billed_units: Option<Box<Self>>,
    },
    Other(IgnoredAny),
}

impl Tokens {
    fn count(self) -> Option<u64> {
        match self {
            Self::Count(count) => Some(count),
            Self::Usage { total_tokens, prompt_tokens, input_tokens, billed_units } => {
                total_tokens.or(prompt_tokens).or(input_tokens).or_else(|| billed_units?.count())
            }
            Self::Other(_) => None,
        }
    }
}

#[derive(Deserialize)]
struct Numbered {
    #[serde(default)]
    index: Index,
    embedding: Item,
}

impl Vector {
    /// How many values it has.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Floats(values) => values.len(),
            Self::Base64(bytes) => bytes.len() / 4,
            Self::NotBase64 => 0,
        }
    }

    /// Adds its values to others.
    pub(crate) fn append_to(&self, others: &mut Vec<f32>) {
        match self {
            Self::Floats(values) => others.extend_from_slice(values),
            Self::Base64(bytes) => others.extend(bytes.as_chunks().0.iter().map(|value| f32::from_le_bytes(*value))),
            Self::NotBase64 => {}
        }
    }
}

impl<'de> Deserialize<'de> for Index {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyIndex)
    }
}

/// Takes whatever stands there: a strange index is a slip of the server's, as one that is there twice.
struct AnyIndex;

impl<'de> Visitor<'de> for AnyIndex {
    type Value = Index;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the place of a vector")
    }

    fn visit_unit<E>(self) -> Result<Index, E> {
        Ok(Index::Missing)
    }

    fn visit_u64<E>(self, index: u64) -> Result<Index, E> {
        Ok(Index::At(index))
    }

    fn visit_i64<E>(self, index: i64) -> Result<Index, E> {
        Ok(u64::try_from(index).map_or(Index::Odd, Index::At))
    }

    fn visit_f64<E>(self, index: f64) -> Result<Index, E> {
        let whole = index >= 0.0 && index.fract() == 0.0;
        Ok(if whole { Index::At(index as u64) } else { Index::Odd })
    }

    fn visit_bool<E>(self, _: bool) -> Result<Index, E> {
        Ok(Index::Odd)
    }

    fn visit_str<E>(self, _: &str) -> Result<Index, E> {
        Ok(Index::Odd)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Index, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Index::Odd)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Index, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Index::Odd)
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyItem)
    }
}

struct AnyItem;

impl<'de> Visitor<'de> for AnyItem {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of numbers or a base64 string, or an object that holds one")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Item, A::Error> {
        let Numbered { index, embedding } = Deserialize::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Item { index, ..embedding })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Item, A::Error> {
        let mut values = Vec::with_capacity(seq.size_hint().unwrap_or(0));
        // A null stands where a server's own encoder met what is no number.
        while let Some(value) = seq.next_element::<Option<f32>>()? {
            values.push(value.unwrap_or(f32::NAN));
        }
        Ok(Item { index: Index::Missing, vector: Vector::Floats(values) })
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Item, E> {
        let vector = match base64_simd::STANDARD.decode_to_vec(text) {
            Ok(bytes) if bytes.len() % 4 == 0 => Vector::Base64(bytes),
            _ => Vector::NotBase64,
        };
        Ok(Item { index: Index::Missing, vector })
    }
}
