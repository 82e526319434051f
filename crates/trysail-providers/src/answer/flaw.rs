use serde_json::error::Category;
use trysail_core::Verdict;

/// Why the body of a 2xx is no good answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    Empty,
    EndsEarly,
    NotJson,
    Page,
    Text,
    Stream,
    Compressed,
    Binary,
    Partial,
    Error,
    NoVectors,
    Twice,
    Count,
    Index,
    EmptyVector,
    NotFinite,
    BrokenBase64,
    Dimension,
    Zero,
    Base64,
}

impl Flaw {
    pub(super) fn of_text(body: &[u8], error: &serde_json::Error) -> Self {
        let body = body.trim_ascii_start();
        match body.first() {
            Some(b'<') if is_html(body) => Self::Page,
            Some(b'{' | b'[') if error.classify() == Category::Eof => Self::EndsEarly,
            Some(b'{' | b'[') => Self::NotJson,
            _ if STREAM.iter().any(|start| body.starts_with(start)) => Self::Stream,
            _ if PACKED.iter().any(|start| body.starts_with(start)) => Self::Compressed,
            _ if str::from_utf8(body).is_err() || body.contains(&0) => Self::Binary,
            _ => Self::Text,
        }
    }

    /// A slip of the server may not happen again; a wrong address or request stays wrong.
    pub(crate) const fn verdict(self) -> Verdict {
        match self {
            Self::Empty
            | Self::EndsEarly
            | Self::NotJson
            | Self::Partial
            | Self::Error
            | Self::Twice
            | Self::Count
            | Self::Index
            | Self::EmptyVector
            | Self::NotFinite
            | Self::BrokenBase64 => Verdict::MALFORMED,
            Self::Page
            | Self::Text
            | Self::Stream
            | Self::Compressed
            | Self::Binary
            | Self::NoVectors
            | Self::Dimension
            | Self::Zero
            | Self::Base64 => Verdict::MALFORMED.once().neutral(),
        }
    }

    pub(crate) const fn rule(self) -> &'static str {
        match self {
            Self::Empty => "answer/empty",
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
            Self::Twice => "answer/twice",
            Self::Count => "answer/count",
            Self::Index => "answer/index",
            Self::EmptyVector => "answer/empty-vector",
            Self::NotFinite => "answer/not-finite",
            Self::BrokenBase64 => "answer/broken-base64",
            Self::Dimension => "answer/dimension",
            Self::Zero => "answer/zero",
            Self::Base64 => "answer/base64",
        }
    }

    /// Whether the body may say more in the words of an error.
    pub(crate) const fn may_be_an_error(self) -> bool {
        matches!(
            self,
            Self::Page | Self::Text | Self::Stream | Self::Error | Self::NoVectors | Self::Count | Self::EmptyVector
        )
    }

    #[cfg(test)]
    pub(crate) const ALL: [Self; 20] = [
        Self::Empty,
        Self::EndsEarly,
        Self::NotJson,
        Self::Partial,
        Self::Error,
        Self::Twice,
        Self::Count,
        Self::Index,
        Self::EmptyVector,
        Self::NotFinite,
        Self::BrokenBase64,
        Self::Page,
        Self::Text,
        Self::Stream,
        Self::Compressed,
        Self::Binary,
        Self::NoVectors,
        Self::Dimension,
        Self::Zero,
        Self::Base64,
    ];
}

fn is_html(body: &[u8]) -> bool {
    let start = body[..body.len().min(1 << 10)].to_ascii_lowercase();
    HTML.iter().any(|tag| start.windows(tag.len()).any(|window| window == *tag))
}

const HTML: &[&[u8]] = &[b"<!doctype html", b"<html", b"<head", b"<body", b"<title"];
/// What gzip, zstd and zlib begin with.
const PACKED: &[&[u8]] = &[b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"];
const STREAM: &[&[u8]] = &[b"data:", b"event:", b": "];
