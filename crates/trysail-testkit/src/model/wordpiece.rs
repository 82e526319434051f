//! The tokeniser of BERT, uncased: clean, fold, split into words, cut words into known pieces.

use std::collections::HashMap;

use unicode_categories::UnicodeCategories as _;
use unicode_normalization::UnicodeNormalization as _;

pub(super) struct WordPiece {
    starts: HashMap<&'static str, u32>,
    continuations: HashMap<&'static str, u32>,
    longest: usize,
    unknown: u32,
}

impl WordPiece {
    pub(super) fn new(vocabulary: Vec<&'static str>) -> Self {
        let longest = vocabulary.iter().map(|token| token.len()).max().unwrap_or(0);
        let (continuations, starts): (HashMap<_, _>, HashMap<_, _>) =
            vocabulary.into_iter().zip(0..).partition(|(token, _)| token.starts_with(CONTINUED));
        let continuations = continuations.into_iter().map(|(token, id)| (&token[CONTINUED.len()..], id)).collect();
        let unknown = *starts.get("[UNK]").expect("the vocabulary has a token for what it does not know");
        Self { starts, continuations, longest, unknown }
    }

    /// What stands for a word that cannot be cut into known pieces.
    pub(super) fn unknown(&self) -> u32 {
        self.unknown
    }

    pub(super) fn ids(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        let mut rest = text;
        // Special tokens count where they are written out.
        while let Some((at, special)) = first_special(rest) {
            self.plain(&rest[..at], &mut ids);
            ids.extend(self.starts.get(special));
            rest = &rest[at + special.len()..];
        }
        self.plain(rest, &mut ids);
        ids
    }

    fn plain(&self, text: &str, ids: &mut Vec<u32>) {
        for chunk in fold(text).split_whitespace() {
            let mut rest = chunk;
            while let Some(first) = rest.chars().next() {
                let end = if is_punctuation(first) {
                    first.len_utf8()
                } else {
                    rest.find(is_punctuation).unwrap_or(rest.len())
                };
                let (word, tail) = rest.split_at(end);
                self.word(word, ids);
                rest = tail;
            }
        }
    }

    /// Cuts `word` into the longest known pieces, from the left.
    fn word(&self, word: &str, ids: &mut Vec<u32>) {
        if word.chars().nth(LONGEST_WORD).is_some() {
            return ids.push(self.unknown);
        }
        let before = ids.len();
        let mut rest = word;
        while !rest.is_empty() {
            let pieces = if rest.len() == word.len() { &self.starts } else { &self.continuations };
            let found = (1..=rest.len().min(self.longest))
                .rev()
                .filter_map(|end| rest.split_at_checked(end))
                .find_map(|(piece, tail)| Some((*pieces.get(piece)?, tail)));
            let Some((id, tail)) = found else {
                ids.truncate(before);
                return ids.push(self.unknown);
            };
            ids.push(id);
            rest = tail;
        }
    }
}

fn first_special(text: &str) -> Option<(usize, &'static str)> {
    SPECIAL.iter().filter_map(|&special| Some((text.find(special)?, special))).min()
}

/// Without control characters, accents and capitals, and with each Chinese character a word of its own.
fn fold(text: &str) -> String {
    text.chars()
        .filter(|&c| matches!(c, '\t' | '\n' | '\r') || !(c == '\u{fffd}' || c.is_other()))
        .flat_map(|c| {
            let space = is_chinese(c).then_some(' ');
            space.into_iter().chain([c]).chain(space)
        })
        .nfd()
        .filter(|c| !c.is_mark_nonspacing())
        .flat_map(char::to_lowercase)
        .collect()
}

fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation() || c.is_punctuation()
}

fn is_chinese(c: char) -> bool {
    matches!(c,
        '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{2a6df}' | '\u{2a700}'..='\u{2b73f}' | '\u{2b740}'..='\u{2b81f}'
        | '\u{2b920}'..='\u{2ceaf}' | '\u{2f800}'..='\u{2fa1f}')
}

const CONTINUED: &str = "##";
const LONGEST_WORD: usize = 100;
const SPECIAL: [&str; 5] = ["[CLS]", "[MASK]", "[PAD]", "[SEP]", "[UNK]"];
