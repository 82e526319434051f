//! What a number counts.

use super::{
    bound::Bound,
    piece::Piece::{self, Number, Sign, Word},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Inputs,
    Tokens,
    Bytes,
    /// Inputs where a batch is made of them.
    Requests,
    /// Nothing that could be sent in parts.
    Other,
}

/// What `bound` of `sentence` counts; what is not said there may have been said `before`.
///
/// `split` if an unnamed number is one of inputs. None where the number is that of a single input.
pub(super) fn unit(bound: &Bound, sentence: &[Piece<'_>], before: &[Vec<Piece<'_>>], split: bool) -> Option<Unit> {
    let (head, tail) = (&sentence[..bound.at], &sentence[bound.at + 1..]);
    let only = || (bound.most == 1 && tail.first()?.word().is_some_and(is_one)).then_some(Unit::Inputs);
    let here = bound.unit.or_else(only).or_else(|| behind(tail)).or_else(|| backwards(head)).or_else(|| {
        let end = tail.iter().position(|piece| matches!(piece, Number(..))).unwrap_or(tail.len());
        tail[..end].iter().find_map(|piece| noun(piece.word()?)).or_else(|| container(tail))
    });
    let said = |word: &str, sentences: &[&[Piece<'_>]]| sentences.iter().any(|pieces| pieces.contains(&Word(word)));
    let (unit, sentences) = match here {
        Some(unit) => (unit, vec![sentence]),
        None => match before.iter().rev().find_map(|earlier| Some((backwards(earlier)?, earlier))) {
            Some((unit, earlier)) => (unit, vec![earlier.as_slice(), sentence]),
            None => (
                if split && !BODY.iter().any(|word| said(word, &[sentence])) { Unit::Inputs } else { return None },
                vec![],
            ),
        },
    };
    let any = |words: &[&str]| words.iter().any(|word| said(word, &sentences));
    let numbered =
        |pieces: &[Piece<'_>]| pieces.windows(3).any(|three| matches!(three, [Sign('['), Number(..), Sign(']')]));
    let one = any(ALONE)
        || sentences.iter().any(|pieces| numbered(pieces))
        || sentences.iter().any(|pieces| PER_ONE.iter().any(|phrase| holds(pieces, phrase)));
    let total = any(&["total"]) && any(&["all"]);
    let together =
        total || any(TOGETHER) || sentences.iter().any(|pieces| PER_REQUEST.iter().any(|phrase| holds(pieces, phrase)));
    match unit {
        Unit::Inputs => (!any(&["dimensions", "dimension", "sequence", "context"])).then_some(unit),
        Unit::Tokens => (together && !one).then_some(unit),
        Unit::Bytes => ((together || any(BODY)) && !one).then_some(unit),
        Unit::Requests => any(&["batch"]).then_some(Unit::Inputs),
        Unit::Other => None,
    }
}

/// Whether `word` names something that is counted.
pub(super) fn is_noun(word: &str) -> bool {
    noun(word).is_some_and(|unit| unit != Unit::Other) || CONTAINERS.contains(&word) || ONES.contains(&word)
}

/// Whether `word` may follow `only one`.
pub(super) fn is_one(word: &str) -> bool {
    ONES.contains(&word) || noun(word) == Some(Unit::Inputs)
}

/// The noun right after a number.
fn behind(tail: &[Piece<'_>]) -> Option<Unit> {
    let words = tail.iter().map_while(|piece| piece.word()).take(3);
    let mut found = None;
    for word in words {
        match noun(word) {
            // `64个token`
            Some(Unit::Inputs) if MEASURES.contains(&word) => found = Some(Unit::Inputs),
            Some(unit) => return Some(unit),
            None if ONES.contains(&word) && tail.get(1) == Some(&Piece::Sign('(')) => return Some(Unit::Inputs),
            None if ONES.contains(&word) => {}
            None => break,
        }
    }
    found
}

/// The noun before a number, or the name of what holds the things that it counts.
fn backwards(head: &[Piece<'_>]) -> Option<Unit> {
    let nearest = head.iter().enumerate().rev().find_map(|(at, piece)| Some((at, noun(piece.word()?)?)));
    match nearest {
        Some((at, Unit::Other)) => container(&head[at + 1..]).or(Some(Unit::Other)),
        Some((_, unit)) => Some(unit),
        None => container(head),
    }
}

/// What a batch, a list or `number of input` speaks of.
fn container(pieces: &[Piece<'_>]) -> Option<Unit> {
    let counted = COUNTED.iter().any(|phrase| holds(pieces, phrase));
    let words = || pieces.iter().filter_map(|piece| piece.word());
    if counted
        || words()
            .any(|word| CONTAINERS.iter().any(|known| *known == word || (!known.is_ascii() && word.contains(known))))
    {
        return Some(Unit::Inputs);
    }
    words().any(|word| BODY[..3].contains(&word)).then_some(Unit::Bytes)
}

fn noun(word: &str) -> Option<Unit> {
    let named = |(names, _): &&(&[&str], Unit)| {
        names.iter().any(|name| *name == word || (!name.is_ascii() && word.contains(name)))
    };
    NOUNS.iter().find(named).map(|(_, unit)| *unit)
}

fn holds(pieces: &[Piece<'_>], phrase: &[&[&str]]) -> bool {
    let is = |(piece, words): (&Piece<'_>, &&[&str])| piece.word().is_some_and(|word| words.contains(&word));
    pieces.windows(phrase.len()).any(|window| window.iter().zip(phrase).all(is))
}

const NOUNS: &[(&[&str], Unit)] = &[
    (&["tokens", "token", "令牌"], Unit::Tokens),
    (&["bytes", "byte", "kb", "kib", "mb", "mib", "字节"], Unit::Bytes),
    (&["requests"], Unit::Requests),
    (
        &[
            "characters",
            "character",
            "chars",
            "char",
            "string",
            "dimensions",
            "dimension",
            "dims",
            "dim",
            "seconds",
            "second",
            "sec",
            "ms",
            "milliseconds",
            "hours",
            "hour",
            "days",
            "words",
            "images",
            "image",
            "pixels",
            "times",
            "retries",
            "attempts",
            "percent",
            "users",
            "keys",
            "models",
            "files",
            "context",
            "maxlength",
            "字符",
            "字元",
            "文字",
            "维",
            "글자",
        ],
        Unit::Other,
    ),
    (
        &[
            "items",
            "inputs",
            "texts",
            "documents",
            "docs",
            "sentences",
            "strings",
            "elements",
            "entries",
            "instances",
            "prompts",
            "passages",
            "chunks",
            "embeddings",
            "records",
            "rows",
            "contents",
            "queries",
            "sequences",
            "examples",
            "objects",
            "paragraphs",
            "lines",
            "maxitems",
            "maxbatchsize",
            "maxinputs",
            "batchsize",
            "条",
            "條",
            "个",
            "個",
            "件",
            "개",
            "건",
        ],
        Unit::Inputs,
    ),
];
/// Words that count what follows, and may count anything.
const MEASURES: &[&str] = &["个", "個", "件", "개"];
/// What holds inputs.
const CONTAINERS: &[&str] = &[
    "batch",
    "batches",
    "batching",
    "array",
    "arrays",
    "list",
    "lists",
    "数组",
    "批",
    "列表",
    "数量",
    "条数",
    "배열",
    "バッチ",
    "配列",
];
/// One of those that are counted.
const ONES: &[&str] = &[
    "input", "text", "document", "item", "element", "instance", "entry", "sentence", "passage", "prompt", "record",
    "query", "string", "chunk",
];
const COUNTED: &[&[&[&str]]] =
    &[&[&["number", "count", "amount", "quantity"], &["of"], ONES], &[ONES, &["count", "counts"]], &[&["many"], ONES]];
const BODY: &[&str] = &["body", "payload", "entity", "request", "message", "content", "upload"];
/// Of all inputs together.
const TOGETHER: &[&str] =
    &["batch", "batches", "overall", "combined", "altogether", "across", "sum", "submission", "批"];
const PER_REQUEST: &[&[&[&str]]] =
    &[&[&["per", "one", "single", "a", "the", "this", "your", "each", "entire", "whole"], &["request", "call"]]];
/// Of one input alone.
const ALONE: &[&str] = &["context", "prompt", "sequence", "window", "position", "index"];
const PER_ONE: &[&[&[&str]]] = &[&[
    &["per", "each", "every", "a", "an", "one", "single", "any", "individual", "longest"],
    &["input", "text", "document", "item", "element", "string", "sentence", "chunk", "passage", "query"],
]];
