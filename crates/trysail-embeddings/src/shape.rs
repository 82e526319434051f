//! Reads an answer of any shape, in one pass.

mod field;
mod vector;

use std::ops::Range;

use self::field::{count, is_hollow, place};
use crate::{
    api::Api,
    json::{Broken, Reader},
};

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
pub(crate) fn read(body: &[u8], api: &Api, most: usize) -> Result<Answer, Broken> {
    let mut answer = Answer::default();
    let mut json = Reader::new(body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body));
    answer.read(&mut json, Way { vectors: api.vectors, tokens: api.tokens, most })?;
    json.end()?;
    Ok(answer)
}

/// The way on to the vectors, from a place in an answer.
#[derive(Clone, Copy)]
struct Way {
    vectors: &'static [&'static str],
    tokens: &'static str,
    most: usize,
}

impl Answer {
    fn read(&mut self, json: &mut Reader<'_>, way: Way) -> Result<(), Broken> {
        match (json.peek()?, way.vectors) {
            (b'{', [name, rest @ ..]) => self.read_object(json, name, Way { vectors: rest, ..way }),
            (b'[', _) => self.read_list(json, way),
            (b'n', _) => json.pass_over(),
            (b'{', []) => Err(Broken::Unexpected),
            _ => json.pass_over().and(Err(Broken::Unexpected)),
        }
    }

    /// Reads an object whose field `name` is the next on the way.
    fn read_object(&mut self, json: &mut Reader<'_>, name: &'static str, way: Way) -> Result<(), Broken> {
        let mut object = json.enter()?;
        let mut seen = false;
        while let Some(key) = json.next_key(&mut object)? {
            match &*key {
                key if key == name && seen => {
                    self.twice = Some(name);
                    json.skip()?;
                }
                key if key == name => {
                    seen = true;
                    self.read(json, way)?;
                }
                key if key == way.tokens => self.tokens = count(json.raw()?),
                "model" => self.model = serde_json::from_str(json.raw()?).ok(),
                "error" | "errors" => self.error |= !is_hollow(json.raw()?),
                _ => _ = json.skip()?,
            }
        }
        Ok(())
    }

    fn read_list(&mut self, json: &mut Reader<'_>, Way { vectors, most, .. }: Way) -> Result<(), Broken> {
        let mut list = json.enter()?;
        let mut items = Vec::new();
        let begins = json.left();
        self.found = 0;
        while json.next_element(&mut list)? {
            self.found += 1;
            if items.len() < most {
                items.push(self.read_item(json)?);
                if items.len() == 1 {
                    self.reserve(most, begins - json.left(), json.left());
                }
            } else {
                json.skip()?;
            }
        }
        // Where a list was not expected, an empty one may be that of something else.
        self.items = (vectors.is_empty() || !items.is_empty()).then_some(items);
        Ok(())
    }

    /// Makes room for `most` vectors, of which the first has `taken` so many bytes, or for as many as those `left` can hold.
    fn reserve(&mut self, most: usize, taken: usize, left: usize) {
        // Others may be written a little shorter.
        let others = (left + left / 8) / taken;
        self.values.reserve_exact(self.values.len().saturating_mul(others.min(most - 1)));
    }

    fn read_item(&mut self, json: &mut Reader<'_>) -> Result<Item, Broken> {
        if json.peek()? != b'{' {
            return Ok(Item { index: Index::Missing, vector: vector::read(json, &mut self.values)? });
        }
        let mut object = json.enter()?;
        let (mut index, mut vector) = (None, None);
        while let Some(key) = json.next_key(&mut object)? {
            match &*key {
                "index" if index.is_none() => index = Some(place(json.raw()?)),
                "embedding" if vector.is_none() => vector = Some(vector::read(json, &mut self.values)?),
                "index" | "embedding" => {
                    self.twice = Some(if key == "index" { "index" } else { "embedding" });
                    json.skip()?;
                }
                _ => _ = json.skip()?,
            }
        }
        Ok(Item { index: index.unwrap_or_default(), vector: vector.unwrap_or(Vector::Unknown) })
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
