use std::fmt;

use trysail_core::Verdict;

use crate::json::Broken;

/// Why an answer is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    Blank,
    EndsEarly,
    NotJson,
    Page,
    Text,
    Stream,
    Compressed,
    Binary,
    /// A 206.
    Partial,
    /// An error beside the vectors.
    Error,
    NoVectors,
    Twice {
        field: &'static str,
    },
    Count {
        expected: usize,
        found: usize,
    },
    Index {
        index: u64,
    },
    OddIndex {
        item: usize,
    },
    NoIndex {
        item: usize,
    },
    /// Not from 0, which the next answer will do as well.
    FromOne,
    Empty {
        index: usize,
    },
    /// Of a whole answer, where those before it were others.
    Dimensions {
        expected: usize,
        found: usize,
    },
    Length {
        index: usize,
        expected: usize,
        found: usize,
    },
    Rows {
        index: usize,
        rows: usize,
    },
    NotFinite {
        index: usize,
    },
    Zero {
        index: usize,
    },
    Base64 {
        index: usize,
    },
    NotAsked,
    OtherFamily {
        thousandths: i16,
    },
    Token {
        index: usize,
    },
    NoScores,
    Scores {
        expected: usize,
        found: usize,
    },
    Score {
        index: usize,
    },
}

impl Flaw {
    /// Why `body`, which could not be read, is none.
    pub(crate) fn of_text(body: &[u8], broken: impl Into<Broken>) -> Self {
        let broken = broken.into();
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
        let begins = |starts: &[&[u8]]| starts.iter().any(|start| body.starts_with(start));
        let start = body[..body.len().min(ENOUGH)].to_ascii_lowercase();
        match body.first() {
            None => Self::Blank,
            _ if broken == Broken::Unexpected => Self::NoVectors,
            Some(b'{' | b'[') if broken == Broken::EndsEarly => Self::EndsEarly,
            Some(b'{' | b'[') => Self::NotJson,
            Some(b'<') if HTML.iter().any(|tag| start.windows(tag.len()).any(|window| window == *tag)) => Self::Page,
            _ if begins(PACKED) => Self::Compressed,
            _ if begins(STREAM) => Self::Stream,
            _ if start.iter().any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace())
                || std::str::from_utf8(body).is_err() =>
            {
                Self::Binary
            }
            _ => Self::Text,
        }
    }

    /// Whether the body may say more in the words of an error.
    pub(super) const fn may_be_an_error(self) -> bool {
        matches!(
            self,
            Self::Page
                | Self::Text
                | Self::Stream
                | Self::Error
                | Self::NoVectors
                | Self::NoScores
                | Self::Scores { .. }
                | Self::Count { .. }
                | Self::Empty { .. }
        )
    }

    /// A slip of the server may not happen again; a wrong address or request stays wrong.
    pub(crate) const fn verdict(self) -> Verdict {
        match self {
            Self::Blank
            | Self::EndsEarly
            | Self::NotJson
            | Self::Partial
            | Self::Error
            | Self::Twice { .. }
            | Self::Count { .. }
            | Self::Index { .. }
            | Self::OddIndex { .. }
            | Self::NoIndex { .. }
            | Self::Empty { .. }
            | Self::NotFinite { .. }
            | Self::Base64 { .. }
            | Self::Token { .. }
            | Self::Scores { .. }
            | Self::Score { .. } => Verdict::MALFORMED,
            Self::Page
            | Self::Text
            | Self::Stream
            | Self::Compressed
            | Self::Binary
            | Self::NoVectors
            | Self::NoScores
            | Self::Dimensions { .. }
            | Self::Length { .. }
            | Self::Rows { .. }
            | Self::FromOne
            | Self::Zero { .. }
            | Self::NotAsked
            | Self::OtherFamily { .. } => Verdict::MALFORMED.once().neutral(),
        }
    }

    /// Whether the server did answer the request, but not with a vector of each input.
    pub(crate) const fn is_of_vectors(self) -> bool {
        matches!(
            self,
            Self::Count { .. }
                | Self::Index { .. }
                | Self::OddIndex { .. }
                | Self::NoIndex { .. }
                | Self::Empty { .. }
                | Self::NotFinite { .. }
                | Self::Base64 { .. }
        )
    }

    /// Whether chance does not make it.
    pub(crate) const fn is_no_accident(self) -> bool {
        matches!(self, Self::Index { .. } | Self::OddIndex { .. } | Self::NoIndex { .. })
    }

    /// Its name in the manual of classes.
    pub(crate) const fn rule(self) -> &'static str {
        match self {
            Self::Blank => "answer/empty",
            Self::EndsEarly => "answer/ends-early",
            Self::NotJson => "answer/not-json",
            Self::Page => "answer/page",
            Self::Text => "answer/text",
            Self::Stream => "answer/stream",
            Self::Compressed => "answer/compressed",
            Self::Binary => "answer/binary",
            Self::Partial => "answer/partial",
            Self::Error => "answer/error",
            Self::NoVectors => "answer/no-vectors",
            Self::Twice { .. } => "answer/twice",
            Self::Count { .. } => "answer/count",
            Self::Index { .. } | Self::OddIndex { .. } | Self::NoIndex { .. } | Self::FromOne => "answer/index",
            Self::Empty { .. } => "answer/empty-vector",
            Self::Dimensions { .. } | Self::Length { .. } | Self::Rows { .. } => "answer/dimension",
            Self::NotFinite { .. } => "answer/not-finite",
            Self::Zero { .. } => "answer/zero",
            Self::Base64 { .. } => "answer/broken-base64",
            Self::NotAsked => "answer/base64",
            Self::OtherFamily { .. } => "answer/family",
            Self::Token { .. } => "answer/token",
            Self::NoScores => "answer/no-scores",
            Self::Scores { .. } => "answer/count",
            Self::Score { .. } => "answer/not-finite",
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank => f.write_str("it is empty"),
            Self::EndsEarly => f.write_str("its JSON ends early"),
            Self::NotJson => f.write_str("it is not JSON"),
            Self::Page => f.write_str("it is a page for people; check the URL"),
            Self::Text => f.write_str("it is plain text and no JSON"),
            Self::Stream => f.write_str("it is a stream of events and no JSON"),
            Self::Compressed => f.write_str("it is compressed, which was not asked for"),
            Self::Binary => f.write_str("it is binary and no JSON"),
            Self::Partial => f.write_str("it is a part of an answer (206)"),
            Self::Error => f.write_str("it holds an error beside its vectors"),
            Self::NoVectors => f.write_str("it holds no list of embeddings"),
            Self::Twice { field } => write!(f, "its field `{field}` is there twice"),
            Self::Count { expected, found } => write!(f, "it holds {found} vectors for {expected} inputs"),
            Self::Index { index } => write!(f, "its index {index} is there twice or out of range"),
            Self::OddIndex { item } => write!(f, "the index of its item {item} is no whole number"),
            Self::NoIndex { item } => write!(f, "its item {item} has no index, where others have one"),
            Self::FromOne => f.write_str("its index counts from 1, where 0 is the first"),
            Self::Empty { index } => write!(f, "vector {index} is empty"),
            Self::Dimensions { expected, found } => write!(
                f,
                "it holds vectors of {found} numbers, where those before have {expected}, so another model has answered"
            ),
            Self::Length { index, expected, found } => {
                write!(f, "vector {index} has {found} dimensions where {expected} were expected")
            }
            Self::Rows { index, rows } => {
                write!(f, "vector {index} is {rows} vectors, as of a server that does not pool those of the tokens")
            }
            Self::NotFinite { index } => write!(f, "vector {index} holds a value that is no number"),
            Self::Zero { index } => write!(f, "vector {index} is zero"),
            Self::Base64 { index } => write!(f, "vector {index} is no base64 of 32-bit floats"),
            Self::NotAsked => f.write_str("it is base64 where numbers were asked for"),
            Self::Token { index } => write!(f, "vector {index} holds a token that is there twice or out of range"),
            Self::NoScores => f.write_str("it holds no list of scores"),
            Self::Scores { expected, found } => write!(f, "it holds {found} scores where {expected} were expected"),
            Self::Score { index } => write!(f, "the score of text {index} is no number"),
            Self::OtherFamily { thousandths } => {
                let likeness = f64::from(*thousandths) / 1_000.0;
                write!(f, "it is of another family: its cosine with the fingerprint is {likeness:.3}")
            }
        }
    }
}

/// How much of a text is looked at.
const ENOUGH: usize = 1 << 10;
const HTML: &[&[u8]] = &[b"<!doctype html", b"<html", b"<head", b"<body", b"<title"];
/// What gzip, zstd and zlib begin with.
const PACKED: &[&[u8]] = &[b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"];
const STREAM: &[&[u8]] = &[b"data:", b"event:", b": "];
