use std::borrow::Cow;

use crate::json::{Broken, Reader};

/// What stands between two quotes.
#[derive(Clone, Copy)]
pub(crate) struct Text<'a> {
    /// With its quotes.
    quoted: &'a [u8],
    is_escaped: bool,
}

impl<'a> Reader<'a> {
    /// The string that begins here, to its end.
    pub(crate) fn string(&mut self) -> Result<Text<'a>, Broken> {
        let start = self.at;
        let mut is_escaped = false;
        self.at += 1;
        loop {
            self.at += plain(&self.text[self.at..]);
            match self.text.get(self.at) {
                None => return Err(Broken::EndsEarly),
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(_) => return Err(Broken::NotJson),
            }
            is_escaped = true;
        }
        self.at += 1;
        Ok(Text { quoted: &self.text[start..self.at], is_escaped })
    }

    fn escape(&mut self) -> Result<(), Broken> {
        let digits = match self.text.get(self.at + 1) {
            None => return Err(Broken::EndsEarly),
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 0,
            Some(b'u') => 4,
            Some(_) => return Err(Broken::NotJson),
        };
        self.at += 2;
        let digits = self.text.get(self.at..self.at + digits).ok_or(Broken::EndsEarly)?;
        self.at += digits.len();
        if digits.iter().all(u8::is_ascii_hexdigit) { Ok(()) } else { Err(Broken::NotJson) }
    }
}

impl<'a> Text<'a> {
    /// What it says.
    pub(crate) fn decoded(self) -> Result<Cow<'a, str>, Broken> {
        match self.plain() {
            Some(plain) => std::str::from_utf8(plain).map(Cow::Borrowed).map_err(|_| Broken::NotJson),
            None => serde_json::from_slice(self.quoted).map(Cow::Owned).map_err(|_| Broken::NotJson),
        }
    }

    /// What it says, byte by byte, where nothing is escaped.
    pub(crate) fn plain(self) -> Option<&'a [u8]> {
        if self.is_escaped { None } else { self.quoted.get(1..self.quoted.len() - 1) }
    }
}

/// How many bytes come before a quote, a backslash or what must not be in a string.
fn plain(text: &[u8]) -> usize {
    let is_special = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
    let (chunks, _) = text.as_chunks::<CHUNK>();
    // All of a chunk, which is faster than to look after each byte whether to go on.
    let holds_special = |chunk: &&[u8; CHUNK]| chunk.iter().fold(false, |any, byte| any | is_special(*byte));
    let far = chunks.iter().take_while(|chunk| !holds_special(chunk)).count() * CHUNK;
    let rest = &text[far..];
    far + rest.iter().position(|byte| is_special(*byte)).unwrap_or(rest.len())
}

const CHUNK: usize = 32;
