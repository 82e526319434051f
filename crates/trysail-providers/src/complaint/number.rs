use std::fmt;

use serde_json::Value;

/// A number that means something only in the shape of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number {
    family: &'static str,
    code: u32,
}

impl Number {
    pub(super) fn of(body: &Value) -> Option<Self> {
        SHAPES.iter().find_map(|shape| shape.read(body))
    }

    /// `error code: 1015`, as the edge of Cloudflare answers those that accept no pages.
    pub(super) fn in_text(text: &str) -> Option<Self> {
        Self::edge(text.strip_prefix("error code: ")?)
    }

    /// `Error 1015`, `Error code 526` or, in a title, `host | 526: …`.
    pub(super) fn in_page(words: &str) -> Option<Self> {
        let found = |sign: &str| {
            words.match_indices(sign).find_map(|(at, sign)| {
                let code = &words[at + sign.len()..];
                let end = code.find(|c: char| !c.is_ascii_digit()).unwrap_or(code.len());
                Self::edge(&code[..end])
            })
        };
        SIGNS.iter().find_map(|sign| found(sign))
    }

    pub(crate) fn is(self, family: &str, word: &str) -> bool {
        self.family == family && word.parse() == Ok(self.code)
    }

    fn edge(code: &str) -> Option<Self> {
        let code = code.parse().ok().filter(|code| EDGE.iter().any(|codes| codes.contains(code)))?;
        Some(Self { family: "cloudflare", code })
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.code, f)
    }
}

/// What the number stands behind on a page of Cloudflare's.
const SIGNS: &[&str] = &["Error ", "Error code ", "Error code: ", " | "];
/// Its own numbers, and those of its statuses about the server behind it.
const EDGE: &[std::ops::Range<u32>] = &[1_000..1_300, 520..528, 530..531];

/// Where a family writes its numbers.
struct Shape {
    family: &'static str,
    /// The object in which the number stands, or the body itself.
    object: Option<&'static str>,
    code: &'static str,
    codes: std::ops::RangeInclusive<u32>,
    /// What else must stand in the body.
    beside: Option<&'static str>,
}

impl Shape {
    fn read(&self, body: &Value) -> Option<Number> {
        if let Some(name) = self.beside
            && body.get(name).is_none()
        {
            return None;
        }
        let object = self.object.map_or(Some(body), |name| body.get(name))?;
        let object = object.as_array().map_or(Some(object), |values| values.first())?;
        let code = match object.get(self.code)? {
            Value::Number(number) => u32::try_from(number.as_u64()?).ok(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        let code = code.filter(|code| self.codes.contains(code))?;
        Some(Number { family: self.family, code })
    }
}

const SHAPES: &[Shape] = &[
    Shape { family: "minimax", object: Some("base_resp"), code: "status_code", codes: 1..=9_999, beside: None },
    Shape {
        family: "cloudflare",
        object: None,
        code: "error_code",
        codes: 520..=1_299,
        beside: Some("cloudflare_error"),
    },
    Shape { family: "cloudflare", object: Some("errors"), code: "code", codes: 900..=99_999, beside: Some("success") },
    Shape { family: "baidu", object: None, code: "error_code", codes: 1..=999_999, beside: None },
    Shape { family: "zhipu", object: Some("error"), code: "code", codes: 1_000..=1_399, beside: None },
    Shape { family: "jina", object: None, code: "status", codes: 40_000..=59_999, beside: None },
    Shape { family: "mistral", object: None, code: "code", codes: 1_000..=9_999, beside: Some("object") },
    Shape { family: "siliconflow", object: None, code: "code", codes: 20_001..=99_999, beside: Some("message") },
];
