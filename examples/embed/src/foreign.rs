//! Knows by its first bytes what is no UTF-8 text as a whole, so that nothing of it is sent.

/// What some bytes are instead of UTF-8 text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Foreign {
    what: &'static str,
    /// The command that makes text of `FILE`.
    remedy: &'static str,
}

impl Foreign {
    /// What begins with `head`, if it is none of our own.
    pub(crate) fn of(head: &[u8]) -> Option<Self> {
        let marked = MARKS.iter().find(|(mark, ..)| head.starts_with(mark));
        let (what, remedy) = marked.map(|(_, what, remedy)| (*what, *remedy)).or_else(|| unmarked(head))?;
        Some(Self { what, remedy })
    }

    /// Why `file`, or else standard input, is not read.
    pub(crate) fn reason(self, file: Option<&str>) -> String {
        let Self { what, remedy } = self;
        match file {
            Some(file) => format!("it is {what}; convert it first: {}", remedy.replace("FILE", &quoted(file))),
            None => format!("it is {what}; send it through: {}", remedy.replace("FILE", "-").trim_end_matches(" -")),
        }
    }
}

/// Text in units of two or four bytes that does not begin with a mark: nearly each has the zeros that ASCII has there, or
/// all those of the planes in use.
fn unmarked(head: &[u8]) -> Option<(&'static str, &'static str)> {
    let all = |is: fn(&[u8]) -> bool| head.len() >= 4 && head.chunks_exact(4).all(is);
    if all(|unit| matches!(unit, [_, _, 0..=3, 0]) && unit[..2] != [0, 0]) {
        return Some(("UTF-32 text, not UTF-8", "iconv -f UTF-32LE -t UTF-8 FILE"));
    }
    if all(|unit| matches!(unit, [0, 0..=3, _, _]) && unit[2..] != [0, 0]) {
        return Some(("UTF-32 text, not UTF-8", "iconv -f UTF-32BE -t UTF-8 FILE"));
    }
    let units = head.len() / 2;
    let nearly = |is: fn(&[u8]) -> bool| {
        let others = units - head.chunks_exact(2).filter(|unit| is(unit)).count();
        units >= 2 && others <= units / 8
    };
    if nearly(|unit| unit[0] != 0 && unit[1] == 0) {
        return Some(("UTF-16 text, not UTF-8", "iconv -f UTF-16LE -t UTF-8 FILE"));
    }
    if nearly(|unit| unit[0] == 0 && unit[1] != 0) {
        return Some(("UTF-16 text, not UTF-8", "iconv -f UTF-16BE -t UTF-8 FILE"));
    }
    scripts(head)
}

/// UTF-16 in a script that is not Latin: what would be control characters, more than a text has, stands in every second
/// place; or else it is no text at all.
fn scripts(head: &[u8]) -> Option<(&'static str, &'static str)> {
    let is_control = |byte: u8| byte.is_ascii_control() && !byte.is_ascii_whitespace() && byte != 0x1b;
    let at = |from: usize| head.iter().skip(from).step_by(2).filter(|byte| is_control(**byte)).count();
    let (even, odd) = (at(0), at(1));
    let few = (even + odd) * 16 < head.len() || even + odd < FEW;
    let text = String::from_utf8_lossy(head);
    let broken = text.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER).count() * 4 >= text.chars().count();
    let nulls = head.contains(&0) && broken && !head.starts_with(b"\xef\xbb\xbf");
    match (even, odd) {
        _ if few && !nulls => None,
        _ if odd > even * 4 => Some(("UTF-16 text, not UTF-8", "iconv -f UTF-16LE -t UTF-8 FILE")),
        _ if even > odd * 4 => Some(("UTF-16 text, not UTF-8", "iconv -f UTF-16BE -t UTF-8 FILE")),
        _ => Some(("no text: it is full of control characters", "strings FILE")),
    }
}

/// So many control characters may stand in a short text.
const FEW: usize = 5;

/// As a shell takes it for one word.
fn quoted(file: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+,:@%".contains(c);
    let file = if file.starts_with('-') { format!("./{file}") } else { file.to_owned() };
    if file.chars().all(plain) { file } else { format!("'{}'", file.replace('\'', r"'\''")) }
}

/// The longer marks before those that they begin with.
const MARKS: &[(&[u8], &str, &str)] = &[
    (b"\xff\xfe\0\0", "UTF-32 text, not UTF-8", "iconv -f UTF-32 -t UTF-8 FILE"),
    (b"\0\0\xfe\xff", "UTF-32 text, not UTF-8", "iconv -f UTF-32 -t UTF-8 FILE"),
    (b"\xff\xfe", "UTF-16 text, not UTF-8", "iconv -f UTF-16 -t UTF-8 FILE"),
    (b"\xfe\xff", "UTF-16 text, not UTF-8", "iconv -f UTF-16 -t UTF-8 FILE"),
    (b"\x1f\x8b", "compressed", "gzip -dc FILE"),
    (b"BZh91AY&SY", "compressed", "bzip2 -dc FILE"),
    (b"\x28\xb5\x2f\xfd", "compressed", "zstd -dc FILE"),
    (b"\xfd7zXZ\0", "compressed", "xz -dc FILE"),
    (b"PK\x03\x04", "a zip archive", "unzip -p FILE"),
    (b"%PDF-", "a PDF", "pdftotext FILE -"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded<const N: usize>(text: &str, unit: fn(char) -> [u8; N]) -> Vec<u8> {
        text.chars().flat_map(unit).collect()
    }

    type Encode = fn(&str) -> Vec<u8>;

    const ENCODINGS: [(&str, Encode); 4] = [
        ("UTF-16LE", |text| text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("UTF-16BE", |text| text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("UTF-32LE", |text| encoded(text, |c| u32::from(c).to_le_bytes())),
        ("UTF-32BE", |text| encoded(text, |c| u32::from(c).to_be_bytes())),
    ];

    #[test]
    fn wide_text_is_known_with_its_mark_and_without() {
        for (name, encode) in ENCODINGS {
            for text in
                ["ab", "a\n", "\n\n", "one\ntwo\n", "“Quoth the raven”, and déjà vu, and more of it\n", "1\r\n2\r\n"]
            {
                let reason =
                    Foreign::of(&encode(text)).unwrap_or_else(|| panic!("{name} {text:?}")).reason(Some("a b"));
                assert!(reason.ends_with(&format!("iconv -f {name} -t UTF-8 'a b'")), "{text:?}: {reason}");
            }
            for text in ["", "a", "日本語", "Привет, мир\n"] {
                let marked = encode(&format!("\u{feff}{text}"));
                let reason = Foreign::of(&marked).unwrap_or_else(|| panic!("{name} {text:?}")).reason(None);
                assert!(reason.ends_with(&format!("iconv -f {} -t UTF-8", &name[..6])), "{text:?}: {reason}");
            }
        }
    }

    #[test]
    fn wide_text_of_any_script_is_known_without_its_mark() {
        for (name, encode) in &ENCODINGS[..2] {
            for text in ["Привет, мир\n", "Γειά σου Κόσμε\n", "日本語\n中文\n", "שלום עולם\n"]
            {
                let reason = Foreign::of(&encode(text)).unwrap_or_else(|| panic!("{name} {text:?}")).reason(None);
                assert!(reason.ends_with(&format!("iconv -f {name} -t UTF-8")), "{text:?}: {reason}");
            }
        }
    }

    #[test]
    fn the_command_names_the_file_as_a_shell_reads_it() {
        for (file, word) in
            [("a.txt", "a.txt"), ("the log", "'the log'"), ("it's", r"'it'\''s'"), ("-n", "./-n"), ("$x", "'$x'")]
        {
            let reason = Foreign::of(b"\xff\xfea\0").unwrap().reason(Some(file));
            assert!(reason.ends_with(&format!("-t UTF-8 {word}")), "{reason}");
        }
    }

    #[test]
    fn text_with_stray_bytes_is_still_text() {
        for text in [
            &b""[..],
            b"a",
            b"a\0",
            b"a\0b\n",
            b"a\0b\0c\n",
            b"a\0b\0c\0d\n",
            b"\0",
            b"\0\n",
            b"\0\0\0\0\n",
            b"caf\xe9\n",
            b"\xef\xbb\xbfone\n",
            b"one\n\0two\n",
            b"PK",
            b"BZh9 is how it begins\n",
            b"\xff\n",
            b"% PDF",
        ] {
            assert_eq!(Foreign::of(text), None, "{text:?}");
        }
    }
}
