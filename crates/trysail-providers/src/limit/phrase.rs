//! Words that call a number the most.

use super::piece::Piece::{self, Word};

/// Words that limit the number behind them.
pub(super) struct Phrase {
    words: &'static [&'static str],
    /// Whether the number itself is too much.
    pub(super) below: bool,
    /// Whether it can mean nothing else, so that the number may be a word.
    pub(super) strict: bool,
    /// Whether it means the contrary behind these.
    unless: Option<Unless>,
}

#[derive(Clone, Copy)]
enum Unless {
    /// `must be more than 0`
    Required,
    /// `not allowed`
    Denied,
}

impl Phrase {
    const fn most(words: &'static [&'static str]) -> Self {
        Self { words, below: false, strict: false, unless: None }
    }

    const fn strict(self) -> Self {
        Self { strict: true, ..self }
    }

    const fn below(words: &'static [&'static str]) -> Self {
        Self { below: true, ..Self::most(words) }
    }

    const fn unless(self, unless: Unless) -> Self {
        Self { unless: Some(unless), ..self }
    }

    pub(super) fn ends(&self, head: &[Piece<'_>]) -> bool {
        let Some(start) = head.len().checked_sub(self.words.len()) else { return false };
        let before = &head[..start];
        let not = |before: &[Piece<'_>]| {
            before
                .last()
                .and_then(|piece| piece.word())
                .is_some_and(|word| matches!(word, "not" | "cannot" | "t" | "no"))
        };
        starts_with(&head[start..], self.words)
            && match self.unless {
                None => true,
                Some(Unless::Denied) => !not(before),
                Some(Unless::Required) => match before.split_last() {
                    Some((Word("be" | "have" | "contain"), before)) => not(before),
                    _ => true,
                },
            }
    }
}

/// Whether `pieces` begin with `words`.
pub(super) fn starts_with(pieces: &[Piece<'_>], words: &[&str]) -> bool {
    pieces.len() >= words.len() && pieces.iter().zip(words).all(|(piece, word)| *piece == Word(word))
}

pub(super) const PHRASES: &[Phrase] = &[
    Phrase::most(&["less", "than", "or", "equal", "to"]),
    Phrase::most(&["lower", "than", "or", "equal", "to"]),
    Phrase::most(&["smaller", "than", "or", "equal", "to"]),
    Phrase::most(&["fewer", "than", "or", "equal", "to"]),
    Phrase::below(&["less", "than"]),
    Phrase::below(&["fewer", "than"]),
    Phrase::below(&["lower", "than"]),
    Phrase::below(&["smaller", "than"]),
    Phrase::below(&["shorter", "than"]),
    Phrase::below(&["below"]),
    Phrase::below(&["under"]),
    Phrase::most(&["at", "most"]).strict(),
    Phrase::most(&["no", "more", "than"]).strict(),
    Phrase::most(&["more", "than"]).strict().unless(Unless::Required),
    Phrase::most(&["greater", "than"]).unless(Unless::Required),
    Phrase::most(&["larger", "than"]).unless(Unless::Required),
    Phrase::most(&["bigger", "than"]).unless(Unless::Required),
    Phrase::most(&["higher", "than"]).unless(Unless::Required),
    Phrase::most(&["longer", "than"]).unless(Unless::Required),
    Phrase::most(&["exceed"]).strict(),
    Phrase::most(&["exceeds"]).strict(),
    Phrase::most(&["exceeding"]).strict(),
    Phrase::most(&["over"]),
    Phrase::most(&["above"]),
    Phrase::most(&["beyond"]),
    Phrase::most(&["within"]),
    Phrase::most(&["up", "to"]).strict(),
    Phrase::most(&["only"]).strict(),
    Phrase::most(&["exactly"]).strict(),
    Phrase::most(&["max"]),
    Phrase::most(&["maximum"]),
    Phrase::most(&["maximal"]),
    Phrase::most(&["largest"]),
    Phrase::most(&["limit"]),
    Phrase::most(&["limits"]),
    Phrase::most(&["limited"]),
    Phrase::most(&["cap"]),
    Phrase::most(&["capped"]),
    Phrase::most(&["ceiling"]),
    Phrase::most(&["threshold"]),
    Phrase::most(&["maxitems"]),
    Phrase::most(&["maxbatchsize"]),
    Phrase::most(&["maxinputs"]),
    Phrase::most(&["vs"]),
    Phrase::most(&["allowed"]).unless(Unless::Denied),
    Phrase::most(&["permitted"]).unless(Unless::Denied),
    Phrase::most(&["accept"]).unless(Unless::Denied),
    Phrase::most(&["accepts"]).unless(Unless::Denied),
    Phrase::most(&["allows"]).unless(Unless::Denied),
    Phrase::most(&["support"]).unless(Unless::Denied),
    Phrase::most(&["supports"]).unless(Unless::Denied),
];
