//! The numbers that a sentence calls the most.

use super::{
    phrase::{PHRASES, Phrase, starts_with},
    piece::Piece::{self, Number, Sign, Word},
    unit::{Unit, is_noun, is_one},
};

/// A number that nothing may exceed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    pub(super) most: usize,
    /// What it counts, if that is written to it.
    pub(super) unit: Option<Unit>,
    /// Where it stands in its sentence.
    pub(super) at: usize,
}

impl Bound {
    /// All of a sentence, first those that a limiting word leads up to.
    pub(super) fn all(sentence: &[Piece<'_>]) -> impl Iterator<Item = Self> {
        let numbers = || (0..sentence.len()).filter_map(|at| Some((at, value(sentence, at)?)));
        let led = numbers().filter_map(|(at, (value, unit))| {
            let below = led_up_to(sentence, at)?;
            Some(Self { most: value - usize::from(below), unit, at })
        });
        let followed = numbers().filter(|(at, _)| followed(sentence, *at));
        led.chain(followed.map(|(at, (value, unit))| Self { most: value, unit, at }))
    }
}

/// The number at `at`, also as a word; none if it is what was sent.
fn value(sentence: &[Piece<'_>], at: usize) -> Option<(usize, Option<Unit>)> {
    match sentence[at] {
        Number(0, _) => None,
        Number(value, unit) => match sentence.get(at + 1) {
            Some(Sign('>' | '%') | Word("vs" | "exceeds")) => None,
            Some(Word("is")) if matches!(sentence.get(at + 2), Some(Word("greater" | "larger" | "more" | "over"))) => {
                None
            }
            _ => Some((value, unit)),
        },
        Word(word) => {
            let (_, value) = NUMERALS.iter().find(|(numeral, _)| *numeral == word)?;
            let next = sentence[at + 1..].iter().find(|piece| **piece != Word("single"));
            next.and_then(|next| next.word()).is_some_and(is_one).then_some((*value, Some(Unit::Inputs)))
        }
        _ => None,
    }
}

/// Whether a limiting word stands before `at`, with nothing between but what is limited; then, whether it must be less.
fn led_up_to(sentence: &[Piece<'_>], at: usize) -> Option<bool> {
    let in_words = matches!(sentence[at], Word(_));
    let mut head = &sentence[..at];
    while at - head.len() <= FARTHEST {
        if head.len() == at && head.last() == Some(&Word("exceeded")) {
            return Some(false);
        }
        let limits = |phrase: &&Phrase| phrase.ends(head) && (!in_words || phrase.strict);
        if let Some(phrase) = PHRASES.iter().find(limits) {
            return Some(phrase.below);
        }
        let (last, before) = head.split_last()?;
        match *last {
            Word(word) if !word.is_ascii() => return CJK.iter().any(|most| word.contains(most)).then_some(false),
            Sign('>' | '≤' | '≦') => return Some(false),
            Sign('<') => return Some(true),
            // A range.
            Number(0 | 1, _) if head.len() == at => return Some(false),
            Sign(',' | '~' | '～' | '–') | Word("to" | "and") if matches!(before.last(), Some(Number(0 | 1, _))) => {
                return Some(false);
            }
            Word(word) if in_words => VERBS.contains(&word).then_some(())?,
            Word(word) => (FILLERS.contains(&word) || is_noun(word)).then_some(())?,
            Sign('(' | ')' | ':' | '：' | '=' | ',' | '{' | '#') if !in_words => {}
            _ => return None,
        }
        head = before;
    }
    None
}

/// Whether what follows `at` makes it the most, as in `10 or fewer`.
fn followed(sentence: &[Piece<'_>], at: usize) -> bool {
    let sent = at.checked_sub(1).and_then(|before| sentence[before].word()).is_some_and(|word| SENT.contains(&word));
    if sent || matches!(sentence[at], Word(_)) {
        return false;
    }
    let mut tail = &sentence[at + 1..];
    loop {
        if let [Sign('('), Word("s"), Sign(')'), rest @ ..] = tail {
            tail = rest;
        }
        let Some((Word(word), rest)) = tail.split_first() else { return false };
        if !word.is_ascii() {
            return CJK_AFTER.iter().any(|most| word.contains(most));
        }
        if let Some(words) = AFTER.iter().find(|words| starts_with(tail, words)) {
            // Else it begins what another number is.
            return !tail[words.len()..].iter().take(4).any(|piece| matches!(piece, Number(..)));
        }
        if !(FILLERS.contains(word) || is_noun(word)) {
            return false;
        }
        tail = rest;
    }
}

const NUMERALS: &[(&str, usize)] = &[
    ("one", 1),
    ("single", 1),
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("twelve", 12),
    ("sixteen", 16),
    ("twenty", 20),
    ("hundred", 100),
];
const AFTER: &[&[&str]] = &[
    &["or", "fewer"],
    &["or", "less"],
    &["at", "most"],
    &["max"],
    &["maximum"],
    &["limit"],
    &["allowed"],
    &["permitted"],
    &["supported"],
];
const CJK: &[&str] = &[
    "最大",
    "最多",
    "至多",
    "上限",
    "超过",
    "超過",
    "超出",
    "大于",
    "大於",
    "多于",
    "小于等于",
    "不高于",
    "限制",
    "限额",
    "최대",
    "초과",
];
const CJK_AFTER: &[&str] = &["以内", "以內", "以下", "まで", "이하", "이내", "까지"];
/// What may stand between a limiting word and its number, beside the names of what is limited.
const FILLERS: &[&str] = &[
    "a",
    "an",
    "allowable",
    "allowed",
    "and",
    "accepted",
    "amount",
    "api",
    "at",
    "be",
    "body",
    "call",
    "can",
    "client",
    "configured",
    "count",
    "default",
    "embedding",
    "for",
    "have",
    "in",
    "is",
    "are",
    "it",
    "its",
    "len",
    "length",
    "may",
    "model",
    "models",
    "must",
    "number",
    "of",
    "on",
    "one",
    "only",
    "payload",
    "per",
    "permissible",
    "permitted",
    "quantity",
    "request",
    "s",
    "send",
    "server",
    "set",
    "should",
    "single",
    "size",
    "submitted",
    "supported",
    "that",
    "the",
    "this",
    "to",
    "total",
    "value",
    "which",
    "with",
];
/// What may stand between a limiting word and a number that is a word.
const VERBS: &[&str] =
    &["a", "one", "accepts", "accept", "supports", "support", "allows", "allow", "takes", "take", "process"];
/// What goes before the number that was sent.
const SENT: &[&str] = &[
    "got",
    "received",
    "sent",
    "has",
    "have",
    "given",
    "requested",
    "found",
    "actual",
    "was",
    "were",
    "provided",
    "not",
    "contains",
    "included",
];
const FARTHEST: usize = 10;
