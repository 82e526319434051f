use std::{fmt, iter};

use serde::{
    Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::answer::{ERRORS, vectors};

/// JSON of which no more is kept than the check of an answer needs: that costs little memory, whatever the answer is.
#[derive(Debug)]
pub(super) enum Node {
    Null,
    Number(f64),
    Text(String),
    Numbers(Numbers),
    List(Vec<Self>),
    Fields(Vec<(String, Self)>),
    False,
    Other,
}

/// A list of numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) count: usize,
    pub(super) zeros: usize,
    /// Null, or not finite as a 32-bit float.
    pub(super) unusable: usize,
}

impl Numbers {
    pub(super) fn push(&mut self, number: f32) {
        self.count += 1;
        self.zeros += usize::from(number == 0.0);
        self.unusable += usize::from(!number.is_finite());
    }
}

impl Node {
    /// The field of this name, if it is an object.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Fields(fields) => fields.iter().find(|(field, _)| field == name).map(|(_, node)| node),
            _ => None,
        }
    }

    /// Whether a field that matters is there twice, so that nobody knows which is meant.
    pub(super) fn has_twice(&self) -> bool {
        match self {
            Self::Fields(fields) => {
                let twice = |(at, (name, _)): (usize, &(String, Self))| {
                    ONCE.contains(&&**name) && fields[..at].iter().any(|(other, _)| other == name)
                };
                fields.iter().enumerate().any(twice) || fields.iter().any(|(_, node)| node.has_twice())
            }
            Self::List(nodes) => nodes.iter().any(Self::has_twice),
            _ => false,
        }
    }

    /// Whether an `error` that is this says that there is none.
    pub(super) fn is_hollow(&self) -> bool {
        match self {
            Self::Null | Self::False => true,
            Self::Number(number) => *number == 0.0,
            Self::Text(text) => text.is_empty() || text == "0",
            Self::Numbers(numbers) => numbers.count == 0,
            Self::Fields(fields) => fields.is_empty(),
            Self::List(_) | Self::Other => false,
        }
    }
}

const ONCE: &[&str] = &["data", "embeddings", "embedding", "index"];

/// Reads a node, and keeps of a list so many nodes that are no numbers.
#[derive(Clone, Copy)]
pub(super) struct NodeSeed {
    pub(super) most: usize,
}

impl<'de> DeserializeSeed<'de> for NodeSeed {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NodeSeed {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, bool: bool) -> Result<Node, E> {
        Ok(if bool { Node::Other } else { Node::False })
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Number(number as f64))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        Ok(Node::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let (mut numbers, mut nodes) = (Numbers::default(), Vec::new());
        // Of a list in a list the first speaks for all.
        while nodes.len() < self.most
            && let Some(node) = seq.next_element_seed(Self { most: 1 })?
        {
            match node {
                Node::Number(number) => numbers.push(number as f32),
                Node::Null => numbers.push(f32::NAN),
                node => nodes.push(node),
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        if nodes.is_empty() {
            return Ok(Node::Numbers(numbers));
        }
        // A null among vectors stands for one.
        nodes.extend(iter::repeat_with(|| Node::Null).take(numbers.count.min(self.most)));
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut fields = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if fields.len() < MANY
                && (vectors::NAMES.iter().any(|names| names.contains(&&*name)) || ERRORS.contains(&&*name))
            {
                fields.push((name, map.next_value_seed(self)?));
            } else {
                map.next_value::<IgnoredAny>()?;
                // It is not empty.
                if fields.is_empty() {
                    fields.push((String::new(), Node::Other));
                }
            }
        }
        Ok(Node::Fields(fields))
    }
}

/// How many fields of an object are looked at.
const MANY: usize = 64;
