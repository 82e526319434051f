use crate::json::{Broken, Reader, number};

impl<'a> Reader<'a> {
    /// The value that begins here, whatever it is, as it stands there; however deep it is, this does not call itself.
    pub(crate) fn skip(&mut self) -> Result<&'a [u8], Broken> {
        self.peek()?;
        let start = self.at;
        let mut within = Vec::new();
        loop {
            let begins = self.peek()?;
            match begins {
                b'{' | b'[' => {
                    self.at += 1;
                    let end = if begins == b'{' { b'}' } else { b']' };
                    if self.peek()? == end {
                        self.at += 1;
                    } else {
                        within.push(end);
                        self.skip_key(end)?;
                        continue;
                    }
                }
                b'"' => _ = self.string()?,
                b'-' | b'0'..=b'9' => self.at = self.text.len() - number::scan(&self.text[self.at..])?.1.len(),
                b't' => self.word(b"true")?,
                b'f' => self.word(b"false")?,
                b'n' => self.word(b"null")?,
                _ => return Err(Broken::NotJson),
            }
            loop {
                let Some(end) = within.last().copied() else { return Ok(&self.text[start..self.at]) };
                match self.peek()? {
                    b',' => {
                        self.at += 1;
                        self.skip_key(end)?;
                        break;
                    }
                    byte if byte == end => {
                        self.at += 1;
                        within.pop();
                    }
                    _ => return Err(Broken::NotJson),
                }
            }
        }
    }

    /// [`skip`](Self::skip) of what is text.
    pub(crate) fn raw(&mut self) -> Result<&'a str, Broken> {
        std::str::from_utf8(self.skip()?).map_err(|_| Broken::NotJson)
    }

    /// The key of a value, if that is in an object.
    fn skip_key(&mut self, end: u8) -> Result<(), Broken> {
        if end == b'}' {
            self.expect(b'"')?;
            self.string()?;
            self.expect(b':')?;
            self.at += 1;
        }
        Ok(())
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Broken> {
        let there = &self.text[self.at..];
        let there = &there[..there.len().min(word.len())];
        self.at += there.len();
        match there {
            _ if there == word => Ok(()),
            _ if word.starts_with(there) => Err(Broken::EndsEarly),
            _ => Err(Broken::NotJson),
        }
    }
}
