//! The lines of one text.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use crate::{foreign::Foreign, source::Flaw};

/// Lines of UTF-8 text, numbered from 1.
///
/// LF and CR LF end a line. A lone CR does where lines end in it, as on old Macs: where two of them come before the
/// first LF, or one in a text without any.
pub(crate) struct Text {
    reader: Box<dyn BufRead + Send>,
    /// How many bytes a line may have.
    longest: u64,
    line: u64,
}

/// A line that is not blank.
pub(crate) struct Numbered {
    pub(crate) line: u64,
    pub(crate) text: Result<String, Flaw>,
    /// How many bytes it took to read, with the blank lines before it.
    pub(crate) read: u64,
}

/// Ends lines in LF where they ended in CR or CR LF.
struct CrAsLf<R> {
    reader: R,
    after_cr: bool,
}

impl Text {
    /// What `reader` reads, unless it is something else than text.
    pub(crate) fn of(reader: impl Read + Send + 'static, longest: u64) -> io::Result<Result<Self, Foreign>> {
        let mut reader = BufReader::new(reader);
        let head = head(&mut reader, longest)?;
        if let Some(foreign) = Foreign::of(&head[..head.len().min(HEAD)]) {
            return Ok(Err(foreign));
        }
        let ends_in_cr = ends_in_cr(&head).unwrap_or_else(|| head.contains(&b'\r'));
        let whole = io::Cursor::new(head).chain(reader);
        let reader: Box<dyn BufRead + Send> = if ends_in_cr {
            Box::new(BufReader::new(CrAsLf { reader: whole, after_cr: false }))
        } else {
            Box::new(whole)
        };
        Ok(Ok(Self { reader, longest, line: 0 }))
    }

    /// The next line that is not blank.
    pub(crate) fn next(&mut self) -> io::Result<Option<Numbered>> {
        let mut read = 0;
        loop {
            let mut bytes = Vec::new();
            let most = self.longest.saturating_add(CR_LF);
            read += self.reader.by_ref().take(most).read_until(b'\n', &mut bytes)? as u64;
            if bytes.is_empty() {
                return Ok(None);
            }
            self.line += 1;
            let is_cut = bytes.len() as u64 == most && !bytes.ends_with(b"\n");
            if is_cut {
                read += self.reader.skip_until(b'\n')? as u64;
            }
            while bytes.pop_if(|byte| matches!(byte, b'\r' | b'\n')).is_some() {}
            let text = match bytes.len() as u64 > self.longest || is_cut {
                true => Err(Flaw::too_long(self.longest)),
                false => String::from_utf8(bytes).map_err(|_| Flaw::NotUtf8),
            };
            let text = text.map(|mut text| {
                if self.line == 1 && text.starts_with(BYTE_ORDER_MARK) {
                    text.drain(..BYTE_ORDER_MARK.len_utf8());
                }
                text
            });
            if text.as_ref().is_ok_and(|text| text.trim().is_empty()) {
                continue;
            }
            return Ok(Some(Numbered { line: self.line, text, read }));
        }
    }
}

impl<R: Read> Read for CrAsLf<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.reader.read(buffer)?;
            let mut kept = 0;
            for at in 0..read {
                let byte = buffer[at];
                if !(byte == b'\n' && self.after_cr) {
                    buffer[kept] = if byte == b'\r' { b'\n' } else { byte };
                    kept += 1;
                }
                self.after_cr = byte == b'\r';
            }
            // Nothing would be the end.
            if kept > 0 || read == 0 {
                return Ok(kept);
            }
        }
    }
}

/// As much as it takes to know what it is and how its lines end, and no more than is there by then: somebody may type.
fn head(reader: &mut impl BufRead, longest: u64) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    loop {
        let is_known = ends_in_cr(&head).is_some() && (head.len() >= 4 || !head.contains(&0));
        if is_known || head.len() as u64 > longest {
            return Ok(head);
        }
        let more = match reader.fill_buf() {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            more => more?,
        };
        if more.is_empty() {
            return Ok(head);
        }
        head.extend_from_slice(more);
        let more = more.len();
        reader.consume(more);
    }
}

/// Whether a lone CR ends a line; unknown without LF as long as there are less than two.
fn ends_in_cr(head: &[u8]) -> Option<bool> {
    let first = head.iter().position(|byte| *byte == b'\n');
    let before = &head[..first.map_or(head.len(), |lf| lf + 1)];
    let lone = before.windows(2).filter(|pair| pair[0] == b'\r' && pair[1] != b'\n').count();
    if lone >= 2 { Some(true) } else { first.map(|_| false) }
}

/// How much says whether it is text.
pub(crate) const HEAD: usize = 512;
const CR_LF: u64 = 2;
const BYTE_ORDER_MARK: char = '\u{feff}';

#[cfg(test)]
mod tests {
    use super::*;

    /// One byte at a time, as slow as a pipe can be.
    struct Dribble(&'static [u8]);

    impl Read for Dribble {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let most = buffer.len().min(1);
            self.0.read(&mut buffer[..most])
        }
    }

    fn lines(reader: impl Read + Send + 'static, longest: u64) -> Vec<(u64, Option<String>)> {
        let mut text = Text::of(reader, longest).unwrap().unwrap_or_else(|foreign| panic!("{foreign:?}"));
        std::iter::from_fn(|| text.next().unwrap()).map(|line| (line.line, line.text.ok())).collect()
    }

    #[test]
    fn line_ends_of_every_kind_are_known_however_they_arrive() {
        for (input, wanted) in [
            (&b"one\ntwo\n"[..], &[(1, "one"), (2, "two")][..]),
            (b"one\r\ntwo\r\n", &[(1, "one"), (2, "two")]),
            (b"one\r\r\ntwo", &[(1, "one"), (2, "two")]),
            (b"one\rtwo\rthree", &[(1, "one"), (2, "two"), (3, "three")]),
            (b"one\rtwo\r", &[(1, "one"), (2, "two")]),
            (b"one\r\rthree\r", &[(1, "one"), (3, "three")]),
            (b"one\rtwo\rthree\n", &[(1, "one"), (2, "two"), (3, "three")]),
            (b"1\r2\r3\r\n\n5\r\r\n7", &[(1, "1"), (2, "2"), (3, "3"), (5, "5"), (7, "7")]),
            (b"one\r", &[(1, "one")]),
            (b"one\rtwo", &[(1, "one"), (2, "two")]),
            (b"o\rne\ntwo\n", &[(1, "o\rne"), (2, "two")]),
            (b"one\nt\rw\ro\nthree", &[(1, "one"), (2, "t\rw\ro"), (3, "three")]),
            (b"\n\r\n \nfour", &[(4, "four")]),
            (b"\xef\xbb\xbfone\rtwo\r", &[(1, "one"), (2, "two")]),
            (b"a\0b\n", &[(1, "a\0b")]),
            (b"", &[]),
            (b"\r\r\n", &[]),
        ] {
            let wanted: Vec<_> = wanted.iter().map(|(line, text)| (*line, Some((*text).to_owned()))).collect();
            assert_eq!(lines(input, 100), wanted, "{input:?}");
            assert_eq!(lines(Dribble(input), 100), wanted, "{input:?}");
        }
    }

    #[test]
    fn a_line_is_too_long_from_its_limit_on_and_no_other_is() {
        for end in ["\n", "\r\n", "\r"] {
            let input = ["1234", "12345", "123456", "1234567", "12345678901234567890", "ab"].join(end);
            for input in [input.clone(), input.clone() + end, format!("{input}{end}123456789")] {
                let found = lines(io::Cursor::new(input.clone().into_bytes()), 5);
                let wanted = [Some("1234"), Some("12345"), None, None, None, Some("ab"), None];
                let wanted = wanted.iter().map(|text| text.map(str::to_owned)).take(found.len());
                assert!(
                    found.len() >= 6 && found.iter().map(|(_, text)| text.clone()).eq(wanted),
                    "{input:?}: {found:?}"
                );
            }
        }
    }

    #[test]
    fn nothing_is_waited_for_once_a_line_is_there() {
        struct Typed(bool);
        impl Read for Typed {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                assert!(!std::mem::replace(&mut self.0, true), "it waits for more");
                buffer[..3].copy_from_slice(b"hi\n");
                Ok(3)
            }
        }
        let mut text = Text::of(Typed(false), 100).unwrap().unwrap_or_else(|foreign| panic!("{foreign:?}"));
        assert_eq!(text.next().unwrap().unwrap().text.unwrap(), "hi");
    }
}
