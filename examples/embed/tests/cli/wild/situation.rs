use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    encode::Encoding,
    right::{Right, Rows},
    script::{Case, Edits, OneOrMore, Rule, When},
};

/// A server in words, what is sent to it, and what is right.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Situation {
    id: String,
    situation: String,
    when: String,
    answer: Answer,
    sent: Sent,
    right: Counts,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Value,
    /// What is no plain answer, in words.
    raw: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    lines: u64,
    batch: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counts {
    vectors: usize,
    errors: usize,
    requests: usize,
}

impl Situation {
    pub(super) fn case(self) -> Case {
        let Self { id, situation, when, answer, sent, right } = self;
        let (when, odd) = condition(&when);
        let odd = odd.map(|text| (ODD, text));
        let file = match id.as_str() {
            "utf-16-file" => in_utf_16(sent.lines),
            _ => Case::of_lines(sent.lines, odd.clone()),
        };
        let good = Rule { answer: Some(Edits { as_asked: true, ..Edits::default() }), ..Rule::default() };
        let right = Right {
            rows: if right.vectors as u64 == sent.lines { Rows::Named("all".into()) } else { Rows::default() },
            all_but: odd.map(|(line, _)| vec![line]),
            errors: Some(right.errors),
            requests_at_most: Some(right.requests),
            ..Right::default()
        };
        Case {
            name: id,
            about: situation,
            args: Some(vec!["--batch".into(), sent.batch.to_string(), "--deadline".into(), "20s".into()]),
            script: vec![Rule { when, ..answer.rule() }, good],
            right: OneOrMore::One(right),
            ..file
        }
    }
}

impl Answer {
    fn rule(self) -> Rule {
        let Self { status, headers, body, raw } = self;
        let plain = Rule { status, headers, ..Rule::default() };
        let good = Some(Edits { as_asked: true, ..Edits::default() });
        match raw.as_deref() {
            Some("a good answer") => Rule { answer: good, ..plain },
            Some("a good answer, gzip") => Rule { answer: good, encoding: Some(Encoding::Gzip), ..plain },
            Some("EF BB BF, then a good answer") => Rule { answer: good, before_hex: "efbbbf".into(), ..plain },
            Some(other) => panic!("an answer in other words: {other}"),
            None if status == 200 => Rule { answer: Some(Edits { like: Some(body), ..Edits::default() }), ..plain },
            None => Rule { body, ..plain },
        }
    }
}

/// Which requests that are, and the text that makes one of them, if a text does.
fn condition(words: &str) -> (When, Option<String>) {
    let number = |words: &str| words.parse().unwrap();
    let always = When::default();
    if let Some(most) = words.strip_prefix("inputs > ") {
        (When { texts_over: Some(number(most)), ..always }, None)
    } else if let Some(length) = words.strip_prefix("an input is longer than ") {
        let most = number(length.trim_end_matches(" characters"));
        (When { text_over: Some(most), ..always }, Some("water ".repeat(most / 5)))
    } else if let Some(word) = words.strip_prefix("an input contains ") {
        (When { text_holds: Some(word.into()), ..always }, Some(format!("a line with {word} in it")))
    } else if let Some(field) = words.strip_prefix("the field ").and_then(|rest| rest.strip_suffix(" is present")) {
        (When { field: Some(field.into()), ..always }, None)
    } else {
        let when = match words {
            "always" => always,
            "every second request" => When { every: Some(2), ..always },
            "every third request" => When { every: Some(3), ..always },
            "encoding_format is base64" => When { format: Some("base64".into()), ..always },
            "the path is the one asked for" => When { path: Some("/v1/embeddings".into()), ..always },
            other => panic!("a condition in other words: {other}"),
        };
        (when, None)
    }
}

fn in_utf_16(lines: u64) -> Case {
    let texts: BTreeMap<_, _> = (1..=lines).map(|line| (line, format!("line {line}"))).collect();
    let text = texts.values().fold("\u{feff}".to_owned(), |whole, text| whole + text + "\n");
    let bytes: Vec<_> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    Case::of_file(&bytes, texts)
}

/// Which line is the odd one.
const ODD: u64 = 41;
