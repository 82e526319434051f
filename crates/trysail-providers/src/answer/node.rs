use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};

/// JSON of which lists of numbers are only counted: an answer is checked in little more memory than its text needs.
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

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyNode)
    }
}

struct AnyNode;

impl<'de> Visitor<'de> for AnyNode {
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
        while let Some(node) = seq.next_element()? {
            match node {
                Node::Number(number) => numbers.push(number as f32),
                Node::Null => numbers.push(f32::NAN),
                node => nodes.push(node),
            }
        }
        if nodes.is_empty() {
            return Ok(Node::Numbers(numbers));
        }
        // A null among vectors stands for one.
        nodes.extend(std::iter::repeat_with(|| Node::Null).take(numbers.count));
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Node::Fields(fields))
    }
}
