use http::HeaderMap;
use serde_json::{Map, Value};

use crate::complaint::{Number, header_words, markup, nested};

/// What was found so far while walking through a body.
#[derive(Default)]
pub(super) struct Gather {
    pub(super) code: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) message: Option<String>,
    pub(super) title: Option<String>,
    pub(super) words: Vec<String>,
    pub(super) lower: String,
    pub(super) status: Option<u16>,
    pub(super) number: Option<Number>,
    pub(super) page: bool,
}

impl Gather {
    /// A body that is JSON.
    pub(super) fn value(&mut self, value: &Value) {
        self.number = Number::of(value);
        self.walk(value, 0);
    }

    /// The error object of a body that may be a good answer.
    pub(super) fn error_of(&mut self, value: &Value) {
        self.number = Number::of(value);
        if self.number.is_some() {
            return self.walk(value, 0);
        }
        let is = |key: &str, names: &[&str]| names.iter().any(|name| key.eq_ignore_ascii_case(name));
        let failed = |(key, value): (&String, &Value)| {
            (is(key, FAILED) && !hollow(value)) || (is(key, MARKED) && value.as_str() == Some("error"))
        };
        if value.as_object().is_some_and(|fields| fields.iter().any(failed)) {
            self.walk(value, 0);
        }
    }

    /// A body that is not JSON.
    pub(super) fn text(&mut self, text: &str) {
        let text = text.trim();
        if text.starts_with('<') {
            self.page = true;
            markup::codes(text).for_each(|code| self.word(code));
            let words = markup::words(text);
            self.number = Number::in_page(&words);
            self.says(&words, 0);
        } else if !self.events(text) {
            self.number = Number::in_text(text);
            self.says(text, 0);
        }
    }

    /// The data of an event stream; whether it was one.
    pub(super) fn events(&mut self, text: &str) -> bool {
        let mut found = false;
        for data in text.lines().filter_map(|line| line.strip_prefix("data:")).take(EVENTS) {
            if let Ok(value) = serde_json::from_str(data) {
                self.error_of(&value);
                found = true;
            }
        }
        found
    }

    /// Codes in the head come last: those in the body are more particular.
    pub(super) fn headers(&mut self, headers: &HeaderMap) {
        for word in header_words(headers) {
            self.word(word);
            self.lower(word);
        }
    }

    /// `value` is about the error; whatever is inside it is more particular than itself.
    fn walk(&mut self, value: &Value, nesting: u8) {
        match value {
            Value::String(text) => self.says(text, nesting),
            Value::Array(values) => values.iter().take(MANY).for_each(|value| self.walk(value, nesting)),
            Value::Object(fields) => self.object(fields, nesting),
            _ => {}
        }
    }

    fn object(&mut self, fields: &Map<String, Value>, nesting: u8) {
        let field = |names: &[&str]| {
            let named = |name: &&str| fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            names.iter().filter_map(named).map(|(_, value)| value).collect::<Vec<_>>()
        };
        for inner in field(INNER) {
            self.walk(inner, nesting);
        }
        for message in field(MESSAGES).into_iter().filter(|message| !message.is_object()) {
            self.walk(message, nesting);
        }
        for title in field(TITLES).into_iter().filter_map(Value::as_str) {
            self.lower(title);
            self.title.get_or_insert_with(|| title.to_owned());
        }
        for limit in field(LIMITS).into_iter().filter_map(Value::as_str) {
            self.lower(limit);
        }
        for code in field(CODES) {
            if let Some(status) = status(code) {
                self.status.get_or_insert(status);
            } else if let Some(code) = scalar(code) {
                self.word(&code);
                self.code.get_or_insert(code);
            }
        }
        for kind in field(KINDS) {
            if let Some(status) = status(kind) {
                self.status.get_or_insert(status);
            } else if let Some(kind) = kind.as_str() {
                self.word(kind);
                self.kind.get_or_insert_with(|| kind.to_owned());
            }
        }
    }

    /// A message, and the JSON that may be written in it.
    fn says(&mut self, text: &str, nesting: u8) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        let inner = (nesting < DEEPEST).then(|| nested::json(text)).flatten();
        match inner {
            Some(value) => {
                let message = self.message.take();
                self.walk(&value, nesting + 1);
                // The words around it are the message of the one who answered.
                self.message = message;
            }
            None => nested::quoted(text).for_each(|(name, word)| self.quoted(name, word)),
        }
        nested::exceptions(text).for_each(|name| self.word(name));
        self.status = self.status.or_else(|| nested::status(text));
        self.lower(text);
        self.message.get_or_insert_with(|| text.to_owned());
    }

    fn quoted(&mut self, name: &str, word: &str) {
        let is = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        if is(CODES) || is(KINDS) {
            self.word(word);
        }
    }

    fn word(&mut self, word: &str) {
        let word = bare(word);
        if !word.is_empty() && word.len() <= LONGEST && self.words.len() < MANY {
            self.words.push(word.to_owned());
        }
    }

    fn lower(&mut self, text: &str) {
        let left = WORDS.saturating_sub(self.lower.len());
        let end = text.char_indices().map(|(at, _)| at).find(|at| *at >= left).unwrap_or(text.len());
        let text = &text[..end];
        if !self.lower.is_empty() {
            self.lower.push('\n');
        }
        self.lower.push_str(&text.to_lowercase());
    }
}

/// `Name`, of `com.amazon.service#Name`, `Name:http://…#…`, `http://…#Name` or `Name;Sender`.
fn bare(word: &str) -> &str {
    let word = word.split(';').next().unwrap_or(word);
    let word = match word.split_once(':') {
        Some((name, after)) if !after.starts_with("//") => name,
        _ => word,
    };
    word.rsplit('#').next().unwrap_or(word).trim()
}

/// Whether an `error` field says that there is none.
fn hollow(error: &Value) -> bool {
    match error {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty() || text == "0",
        Value::Array(values) => values.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Number(number) => number.as_u64() == Some(0),
        Value::Bool(true) => false,
    }
}

/// A number that repeats, or stands for, a status.
fn status(value: &Value) -> Option<u16> {
    let number = match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_u64().and_then(|number| u16::try_from(number).ok()),
        _ => None,
    };
    number.filter(|number| (100..600).contains(number))
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(code) => Some(code.clone()),
        Value::Number(code) => Some(code.to_string()),
        _ => None,
    }
}

const EVENTS: usize = 16;
const MANY: usize = 64;
const DEEPEST: u8 = 4;
/// Every phrase of every table is looked for in so many bytes.
const WORDS: usize = 8 * 1024;
const LONGEST: usize = 100;
/// Where a body that may be a good answer says that it is none.
const FAILED: &[&str] = &["error", "errors", "errorType"];
/// What may say `error` instead.
const MARKED: &[&str] = &["object", "type", "status"];
const INNER: &[&str] = &[
    "error",
    "errors",
    "detail",
    "details",
    "innererror",
    "inner_error",
    "metadata",
    "raw",
    "cause",
    "violations",
    "base_resp",
    "response",
    "exception",
    "warnings",
    "fault",
];
const MESSAGES: &[&str] = &[
    "message",
    "msg",
    "error_msg",
    "error_message",
    "errorMessage",
    "error_description",
    "status_msg",
    "reasons",
    "description",
    "readableMessage",
    "faultstring",
];
const TITLES: &[&str] = &["title", "error_name"];
const LIMITS: &[&str] = &["quotaId", "quota_limit"];
const CODES: &[&str] = &[
    "code",
    "reason",
    "error_code",
    "errorCode",
    "statusCode",
    "status_code",
    "http_status",
    "httpStatus",
    "http_code",
];
const KINDS: &[&str] = &["type", "error_type", "__type", "status", "name", "errorType"];
