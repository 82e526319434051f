//! A message as words and numbers.

use super::unit::Unit;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Letters of one script.
    Word(&'a str),
    /// A whole number, and what it counts if that is written to it: `20MB`.
    Number(usize, Option<Unit>),
    Sign(char),
    /// A name, a version, a fraction: nothing that counts.
    Other,
}

impl<'a> Piece<'a> {
    pub(super) const fn word(self) -> Option<&'a str> {
        match self {
            Self::Word(word) => Some(word),
            _ => None,
        }
    }
}

/// The sentences of `text`, which is in lower case.
pub(super) fn sentences(text: &str) -> Vec<Vec<Piece<'_>>> {
    let mut sentences = vec![Vec::new()];
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let sentence = sentences.last_mut().expect("there is always one");
        at += match c {
            _ if c.is_ascii_digit() => {
                let (piece, length) = number(rest, text[..at].chars().next_back(), sentence);
                sentence.push(piece);
                length
            }
            _ if c.is_alphabetic() => {
                let alike = |next: char| next.is_alphabetic() && next.is_ascii() == c.is_ascii();
                let word = &rest[..rest.find(|next| !alike(next)).unwrap_or(rest.len())];
                sentence.push(Piece::Word(word));
                word.len()
            }
            _ => {
                if ends(rest, sentence) {
                    sentences.push(Vec::new());
                    c.len_utf8()
                } else if let Some((_, sign)) = PAIRS.iter().find(|(pair, _)| rest.starts_with(pair)) {
                    sentence.push(Piece::Sign(*sign));
                    2
                } else {
                    if !c.is_whitespace() && !JOINTS.contains(&c) {
                        sentence.push(Piece::Sign(c));
                    }
                    c.len_utf8()
                }
            }
        };
    }
    sentences.retain(|sentence| !sentence.is_empty());
    sentences
}

fn ends(rest: &str, sentence: &[Piece<'_>]) -> bool {
    if let Some(after) = rest.strip_prefix('.') {
        let short = matches!(sentence.last(), Some(Piece::Word("vs" | "max" | "no" | "approx")));
        return !short && after.chars().next().is_none_or(char::is_whitespace);
    }
    rest.starts_with(ENDS)
}

/// The number that `rest` begins with, and its length in bytes.
fn number<'a>(rest: &str, before: Option<char>, sentence: &[Piece<'a>]) -> (Piece<'a>, usize) {
    // `[1,128]` are two numbers.
    let grouped = !matches!(before, Some('[' | '('));
    let mut end = digits(rest);
    let mut value = rest[..end].to_owned();
    while grouped && end <= LONGEST {
        let after = &rest[end..];
        let Some(gap) = after.chars().next().filter(|c| GAPS.contains(c)) else { break };
        let group = &after[gap.len_utf8()..];
        // Between words a space is a space, but for thousands written out.
        if digits(group) != 3 || (gap == ' ' && !group.starts_with("000")) {
            break;
        }
        value.push_str(&group[..3]);
        end += gap.len_utf8() + 3;
    }
    let spaced = rest[end..].strip_prefix(' ').filter(|after| SIZES.iter().any(|size| after.starts_with(size)));
    end += usize::from(spaced.is_some());
    let after = &rest[end..];
    let letters = &after[..after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len())];
    let suffix = SUFFIXES.iter().find(|(suffix, ..)| *suffix == letters);
    let range = matches!((before, sentence.last()), (Some('-'), Some(Piece::Number(0 | 1, _))));
    let glued = before.is_some_and(|c| c.is_ascii_alphanumeric() || "-_/.@#".contains(c)) && !range;
    let tail = &after[letters.len()..];
    let goes_on = tail.starts_with(['.', '_', '/']) && tail[1..].starts_with(|c: char| c.is_ascii_alphanumeric());
    let known = suffix.filter(|_| !glued && !goes_on);
    match known.zip(value.parse::<usize>().ok()) {
        Some(((_, times, unit), value)) => (Piece::Number(value.saturating_mul(*times), *unit), end + letters.len()),
        None => {
            let part = |c: char| c.is_ascii_alphanumeric() || "-_/.".contains(c);
            let length = rest.find(|c| !part(c)).unwrap_or(rest.len());
            // Its full stop ends the sentence.
            (Piece::Other, rest[..length].trim_end_matches('.').len().max(end))
        }
    }
}

fn digits(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())
}

const ENDS: &[char] = &['\n', ';', '!', '?', '。', '；', '！', '？'];
const PAIRS: &[(&str, char)] = &[("<=", '≤'), (">=", '≥'), ("=>", '='), ("->", '='), ("==", '='), ("≤=", '≤')];
/// What stands between the words of a name.
const JOINTS: &[char] = &['_', '-', '.', '\'', '"', '`', '*', '\\'];
const GAPS: &[char] = &[',', '_', '\'', '.', ' ', '\u{a0}', '\u{2009}', '\u{202f}'];
const LONGEST: usize = 20;
/// Suffixes that may stand apart.
const SIZES: &[&str] = &["kb", "kib", "mb", "mib", "gb", "gib"];
/// Round numbers of bytes: a little less than was meant at worst.
const SUFFIXES: &[(&str, usize, Option<Unit>)] = &[
    ("", 1, None),
    ("k", 1_000, None),
    ("m", 1_000_000, None),
    ("b", 1, Some(Unit::Bytes)),
    ("kb", 1_000, Some(Unit::Bytes)),
    ("kib", 1_024, Some(Unit::Bytes)),
    ("mb", 1_000_000, Some(Unit::Bytes)),
    ("mib", 1 << 20, Some(Unit::Bytes)),
    ("gb", 1_000_000_000, Some(Unit::Bytes)),
    ("gib", 1 << 30, Some(Unit::Bytes)),
];
