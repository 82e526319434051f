//! Reads an answer of any shape, in one pass.

mod field;
mod vector;

use std::{borrow::Cow, fmt, ops::Range};

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use self::{
    field::{count, is_hollow, place},
    vector::VectorSeed,
};
use crate::api::Api;

/// What an answer holds, as it stands there.
#[derive(Default)]
pub(crate) struct Answer {
    /// The first of them; none if it has no place for vectors.
    pub(crate) items: Option<Vec<Item>>,
    /// The values of all vectors, one behind the other.
    pub(crate) values: Vec<f32>,
    /// How many items there are.
    pub(crate) found: usize,
    pub(crate) model: Option<String>,
    pub(crate) tokens: Option<u64>,
    /// A field that is there twice, so that nobody knows which is meant.
    pub(crate) twice: Option<&'static str>,
    /// Whether it says that something went wrong.
    pub(crate) error: bool,
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
    /// No place at all: `-1`, `1.5`, a name.
    Odd,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Vector {
    /// Where its values are.
    Floats(Range<usize>),
    /// The same, where they came as four bytes for each.
    Base64(Range<usize>),
    NotBase64,
    /// So many vectors, where one belongs.
    Rows(usize),
    /// Something that is neither a list of numbers nor a string.
    Odd,
    /// The object that should hold it does not know it.
    Unknown,
}

/// The answer of a server that speaks `api`; of its vectors `most` are kept, and all are counted.
pub(crate) fn read(body: &[u8], api: &Api, most: usize) -> serde_json::Result<Answer> {
    let mut answer = Answer::default();
    let mut json = serde_json::Deserializer::from_slice(body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body));
    Node { answer: &mut answer, most, vectors: api.vectors, tokens: api.tokens }.deserialize(&mut json)?;
    json.end()?;
    Ok(answer)
}

/// A place in an answer, and the way on to the vectors.
struct Node<'a> {
    answer: &'a mut Answer,
    most: usize,
    vectors: &'static [&'static str],
    tokens: &'static str,
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object that holds vectors, or a list of them")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { answer, most, vectors, tokens } = self;
        let Some((name, rest)) = vectors.split_first() else {
            return Err(de::Error::custom("a list of vectors was expected"));
        };
        let mut seen = false;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match &*key {
                key if key == *name && seen => {
                    answer.twice = Some(name);
                    map.next_value::<IgnoredAny>()?;
                }
                key if key == *name => {
                    seen = true;
                    map.next_value_seed(Node { answer: &mut *answer, most, vectors: rest, tokens })?;
                }
                key if key == tokens => answer.tokens = count(map.next_value()?),
                "model" => answer.model = serde_json::from_str(map.next_value::<&RawValue>()?.get()).ok(),
                "error" | "errors" => answer.error |= !is_hollow(map.next_value()?),
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self { answer, most, vectors, .. } = self;
        let mut items = Vec::new();
        while items.len() < most {
            let Some(item) = seq.next_element_seed(ItemSeed { answer: &mut *answer })? else { break };
            items.push(item);
        }
        answer.found = items.len();
        while seq.next_element::<IgnoredAny>()?.is_some() {
            answer.found += 1;
        }
        // Where a list was not expected, an empty one may be that of something else.
        answer.items = (vectors.is_empty() || !items.is_empty()).then_some(items);
        Ok(())
    }
}

struct ItemSeed<'a> {
    answer: &'a mut Answer,
}

impl<'de> DeserializeSeed<'de> for ItemSeed<'_> {
    type Value = Item;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Item, D::Error> {
        deserializer.deserialize_any(self)
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Key {
    Index,
    Embedding,
    #[serde(other)]
    Other,
}

impl<'de> Visitor<'de> for ItemSeed<'_> {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a vector, or an object that holds one")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Item, A::Error> {
        let Self { answer } = self;
        let (mut index, mut vector) = (None, None);
        while let Some(key) = map.next_key()? {
            match key {
                Key::Index if index.is_none() => index = Some(place(map.next_value()?)),
                Key::Embedding if vector.is_none() => {
                    vector = Some(map.next_value_seed(VectorSeed { values: &mut answer.values })?);
                }
                Key::Index | Key::Embedding => {
                    answer.twice = Some(if matches!(key, Key::Index) { "index" } else { "embedding" });
                    map.next_value::<IgnoredAny>()?;
                }
                Key::Other => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(Item { index: index.unwrap_or_default(), vector: vector.unwrap_or(Vector::Unknown) })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Item, A::Error> {
        VectorSeed { values: &mut self.answer.values }.visit_seq(seq).map(Item::from)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Item, E> {
        VectorSeed { values: &mut self.answer.values }.visit_str(text).map(Item::from)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Item, E> {
        VectorSeed { values: &mut self.answer.values }.visit_unit().map(Item::from)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Item, E> {
        Ok(Vector::Odd.into())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Item, E> {
        Ok(Vector::Odd.into())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Item, E> {
        Ok(Vector::Odd.into())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Item, E> {
        Ok(Vector::Odd.into())
    }
}

impl From<Vector> for Item {
    fn from(vector: Vector) -> Self {
        Self { index: Index::Missing, vector }
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
