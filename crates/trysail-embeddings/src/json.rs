//! Reads JSON from its beginning to its end, once.
//!
//! What it takes for JSON is what `serde_json` takes for it.

mod digits;
mod number;
mod skip;
mod text;

use std::borrow::Cow;

use serde_json::error::Category;

pub(crate) use self::text::Text;

/// A text that is read; after an error, no further.
pub(crate) struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    depth: u8,
}

/// Why a text cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    EndsEarly,
    NotJson,
    /// It is JSON so far, and not what was expected.
    Unexpected,
}

/// A list or an object that is being read.
pub(crate) struct Within {
    is_first: bool,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    /// The byte that the next value begins with, or that ends the list or object.
    #[inline]
    pub(crate) fn peek(&mut self) -> Result<u8, Broken> {
        while let Some(byte) = self.text.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\t' | b'\r') {
                return Ok(*byte);
            }
            self.at += 1;
        }
        Err(Broken::EndsEarly)
    }

    /// How many bytes have yet to be read.
    pub(crate) const fn left(&self) -> usize {
        self.text.len() - self.at
    }

    /// Nothing may follow but space.
    pub(crate) fn end(&mut self) -> Result<(), Broken> {
        if self.peek().is_err() { Ok(()) } else { Err(Broken::NotJson) }
    }

    /// Goes into the list or object that begins here.
    pub(crate) fn enter(&mut self) -> Result<Within, Broken> {
        self.at += 1;
        self.depth += 1;
        if self.depth == DEEPEST { Err(Broken::NotJson) } else { Ok(Within { is_first: true }) }
    }

    /// Whether the list goes on; if not, it is left.
    #[inline]
    pub(crate) fn next_element(&mut self, list: &mut Within) -> Result<bool, Broken> {
        self.goes_on(list, b']')
    }

    /// The key of the next value; if there is none, the object is left.
    pub(crate) fn next_key(&mut self, object: &mut Within) -> Result<Option<Cow<'a, str>>, Broken> {
        if !self.goes_on(object, b'}')? {
            return Ok(None);
        }
        self.expect(b'"')?;
        let key = self.string()?.decoded()?;
        self.expect(b':')?;
        self.at += 1;
        Ok(Some(key))
    }

    #[inline]
    fn goes_on(&mut self, within: &mut Within, end: u8) -> Result<bool, Broken> {
        let is_first = std::mem::replace(&mut within.is_first, false);
        match self.peek()? {
            byte if byte == end => {
                self.at += 1;
                self.depth -= 1;
                return Ok(false);
            }
            _ if is_first => return Ok(true),
            b',' => self.at += 1,
            _ => return Err(Broken::NotJson),
        }
        if self.peek()? == end { Err(Broken::NotJson) } else { Ok(true) }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Broken> {
        if self.peek()? == byte { Ok(()) } else { Err(Broken::NotJson) }
    }

    /// Reads a value of which nothing is kept; unlike one that is [skipped](Self::skip), it is text, or a number that there is.
    pub(crate) fn pass_over(&mut self) -> Result<(), Broken> {
        match self.peek()? {
            b'"' => self.string()?.decoded().map(drop),
            b'-' | b'0'..=b'9' => self.number().map(drop),
            _ => self.raw().map(drop),
        }
    }
}

impl From<&serde_json::Error> for Broken {
    fn from(error: &serde_json::Error) -> Self {
        match error.classify() {
            Category::Eof => Self::EndsEarly,
            Category::Data => Self::Unexpected,
            Category::Syntax | Category::Io => Self::NotJson,
        }
    }
}

/// How deep is too deep for what is read by a function that calls itself.
const DEEPEST: u8 = 128;

#[cfg(test)]
mod tests;
