use crate::answer::node::{Node, Numbers};

/// A vector as it stands in an answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Vector<'a> {
    Numbers(Numbers),
    Text(&'a str),
    Nothing,
}

#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) index: Option<u64>,
    pub(super) vector: Vector<'a>,
}

/// The vectors of an answer in any of the known shapes, and no more than `most` nulls; `None` if it has no place for them.
pub(super) fn vectors(answer: &Node, most: usize) -> Option<Vec<Found<'_>>> {
    match answer {
        Node::List(_) | Node::Numbers(_) => Some(list(answer, most)),
        Node::Fields(_) => {
            let (name, node) = PLACES.iter().find_map(|name| Some((*name, answer.field(name)?)))?;
            match node {
                // `embedding` holds one, everything else a list.
                _ if name == ONE => Some(vec![found(node)]),
                Node::Fields(_) => vectors(node, most),
                node => Some(list(node, most)),
            }
        }
        _ => None,
    }
}

fn list(node: &Node, most: usize) -> Vec<Found<'_>> {
    match node {
        Node::List(nodes) => nodes.iter().map(found).collect(),
        Node::Numbers(numbers) if numbers.count == 0 => Vec::new(),
        Node::Numbers(numbers) if numbers.unusable == numbers.count => {
            (0..numbers.count.min(most)).map(|_| Found { index: None, vector: Vector::Nothing }).collect()
        }
        Node::Numbers(numbers) => vec![Found { index: None, vector: Vector::Numbers(*numbers) }],
        _ => Vec::new(),
    }
}

fn found(node: &Node) -> Found<'_> {
    let index = INDICES.iter().find_map(|name| match node.field(name)? {
        // A strange index is an index out of range.
        Node::Number(index) if *index >= 0.0 && index.fract() == 0.0 => Some(*index as u64),
        // Some write their numbers as text.
        Node::Text(digits) => Some(digits.parse().unwrap_or(u64::MAX)),
        Node::Null => None,
        _ => Some(u64::MAX),
    });
    Found { index, vector: vector(node) }
}

fn vector(node: &Node) -> Vector<'_> {
    match node {
        Node::Numbers(numbers) => Vector::Numbers(*numbers),
        Node::Text(text) => Vector::Text(text),
        // A vector for each token: the first speaks for all.
        Node::List(nodes) => nodes.first().map_or(Vector::Nothing, vector),
        Node::Fields(_) => VECTORS.iter().find_map(|name| node.field(name)).map_or(Vector::Nothing, vector),
        _ => Vector::Nothing,
    }
}

/// Every name that is looked for.
pub(super) const NAMES: [&[&str]; 3] = [PLACES, VECTORS, INDICES];
const ONE: &str = "embedding";
/// Where the vectors of an answer stand, by type of number the usual one first.
const PLACES: &[&str] = &[
    "data",
    "embeddings",
    ONE,
    "predictions",
    "result",
    "output",
    "outputs",
    "vectors",
    "results",
    "response",
    "float",
    "base64",
    "int8",
    "uint8",
    "binary",
    "ubinary",
    "dense_vecs",
];
const VECTORS: &[&str] = &["embedding", "embeddings", "values", "vector", "float", "base64", "dense", "dense_vecs"];
const INDICES: &[&str] = &["index", "text_index"];
