//! What a caller says beside what we say: headers, body fields and query parameters.

use std::{error::Error, fmt, hash::BuildHasher, mem, sync::Arc};

use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use serde::Serialize;
use serde_json::Value;
use trysail_http::credential;

/// A header, a field or a parameter of one's own that cannot be sent.
///
/// It never holds the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidPart {
    pub(crate) problem: String,
}

/// Shared by its clones; the last of a name holds. `Debug` shows names only.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Own(Option<Arc<Parts>>);

#[derive(Clone, Default, PartialEq, Eq)]
struct Parts {
    headers: Vec<(HeaderName, HeaderValue)>,
    fields: Vec<(String, Value)>,
    query: Vec<(String, String)>,
}

impl Own {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Result<Self, InvalidPart> {
        let name = HeaderName::try_from(name)
            .map_err(|_| invalid("the name of a header is empty, or holds what none may hold"))?;
        if let Some((_, why)) = OURS.iter().find(|(ours, _)| *ours == name) {
            return Err(invalid(format!("the header `{name}` is not one's own: {why}")));
        }
        let mut value = HeaderValue::from_str(value.trim())
            .ok()
            .filter(|value| !value.is_empty() && value.to_str().is_ok())
            .ok_or_else(|| invalid(format!("the value of the header `{name}` is empty, or not visible ASCII")))?;
        value.set_sensitive(true);
        put(&mut self.parts().headers, name, value);
        Ok(self)
    }

    pub(crate) fn field(mut self, name: &str, value: impl Serialize) -> Result<Self, InvalidPart> {
        if name.is_empty() {
            return Err(invalid("the name of a field is empty"));
        }
        if let Some((_, why)) = GUARDED.iter().find(|(guarded, _)| *guarded == name) {
            return Err(invalid(format!("the field `{name}` is not one's own: {why}")));
        }
        let value = serde_json::to_value(value)
            .map_err(|_| invalid(format!("the value of the field `{name}` cannot be written as JSON")))?;
        put(&mut self.parts().fields, name.to_owned(), value);
        Ok(self)
    }

    pub(crate) fn query(mut self, name: &str, value: &str) -> Result<Self, InvalidPart> {
        if name.is_empty() {
            return Err(invalid("the name of a parameter is empty"));
        }
        put(&mut self.parts().query, name.to_owned(), value.to_owned());
        let length: usize = self.parts().query.iter().map(|(name, value)| pair(name, value).len() + 1).sum();
        match length {
            ..=MOST_QUERY => Ok(self),
            _ => Err(invalid(format!("the parameters are too long: {length} bytes, of {MOST_QUERY} at most"))),
        }
    }

    /// The same for one of the parts, counted from 1, into which a request was cut: another body, another key.
    pub(crate) fn part(mut self, part: u32) -> Self {
        if self.key().is_some() {
            for (name, key) in &mut self.parts().headers {
                if *name == IDEMPOTENCY_KEY {
                    *key = derived(key, &part.to_string());
                }
            }
        }
        self
    }

    /// The caller's own idempotency key.
    pub(crate) fn key(&self) -> Option<&HeaderValue> {
        let (_, key) = self.0.as_ref()?.headers.iter().find(|(name, _)| *name == IDEMPOTENCY_KEY)?;
        Some(key)
    }

    pub(crate) fn holds_headers(&self) -> bool {
        self.0.as_ref().is_some_and(|parts| !parts.headers.is_empty())
    }

    pub(crate) fn credential(&self, key: &impl BuildHasher) -> Option<u64> {
        let Parts { headers, query, .. } = self.0.as_deref()?;
        let headers = headers.iter().map(|(name, value)| (name, value));
        credential(headers, query.iter().map(|(name, value)| (&**name, &**value)), key)
    }

    pub(crate) fn may_hold_secrets(&self) -> bool {
        self.0.as_ref().is_some_and(|parts| !parts.headers.is_empty() || !parts.query.is_empty())
    }

    pub(crate) fn write_headers(&self, headers: &mut HeaderMap) {
        for (name, value) in self.0.iter().flat_map(|parts| &parts.headers) {
            headers.insert(name.clone(), value.clone());
        }
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &Value)> + Clone {
        self.0.iter().flat_map(|parts| &parts.fields).map(|(name, value)| (name.as_str(), value))
    }

    /// `uri` with the parameters; they take the place of those that have the same name.
    pub(crate) fn add_to(&self, uri: &Uri) -> Uri {
        let Some(own) = self.0.as_ref().map(|parts| &parts.query).filter(|query| !query.is_empty()) else {
            return uri.clone();
        };
        let is_other = |pair: &&str| {
            let name = pair.split_once('=').map_or(*pair, |(name, _)| name);
            !pair.is_empty() && own.iter().all(|(own, _)| escaped(own) != name)
        };
        let mut text = uri.path().to_owned();
        let others = uri.query().into_iter().flat_map(|query| query.split('&')).filter(is_other).map(str::to_owned);
        for (at, pair) in others.chain(own.iter().map(|(name, value)| pair(name, value))).enumerate() {
            text.push(if at == 0 { '?' } else { '&' });
            text.push_str(&pair);
        }
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(text.try_into().expect("what is not escaped has been there, and neither is long"));
        Uri::from_parts(parts).expect("only the query has changed")
    }

    /// Takes out of `text` what a server may have repeated of the values that nobody else may see.
    pub(crate) fn redact(&self, mut text: String) -> String {
        let Some(parts) = &self.0 else { return text };
        // A header may hold a scheme before the secret.
        let words = |value: &str| value.split_whitespace().chain([value]).map(str::to_owned).collect::<Vec<_>>();
        let headers = parts.headers.iter().filter_map(|(name, value)| {
            let least = if names_secret(name.as_str()) { 1 } else { LEAST_SECRET };
            let long = |word: &String| word.len() >= least;
            Some(words(value.to_str().ok()?).into_iter().filter(long).collect::<Vec<_>>())
        });
        let fields = parts.fields.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
        let query = parts.query.iter().map(|(name, value)| (name, value.as_str()));
        let named = fields.chain(query).filter(|(name, value)| names_secret(name) && !value.is_empty());
        let mut secrets: Vec<String> = headers.flatten().collect();
        secrets.extend(named.flat_map(|(_, value)| [value.to_owned(), escaped(value)]));
        // Else a part of a longer one would leave the rest of it behind.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        for secret in secrets {
            text = text.replace(&secret, "***");
        }
        text
    }

    fn parts(&mut self) -> &mut Parts {
        Arc::make_mut(self.0.get_or_insert_default())
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers = self.0.iter().flat_map(|parts| &parts.headers).map(|(name, _)| name.as_str());
        let fields = self.fields().map(|(name, _)| name);
        let query = self.0.iter().flat_map(|parts| &parts.query).map(|(name, _)| name.as_str());
        f.debug_set().entries(headers).entries(fields).entries(query).finish()
    }
}

impl fmt::Display for InvalidPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl Error for InvalidPart {}

/// `key` for a body that is not the one it was given for.
pub(crate) fn derived(key: &HeaderValue, what: &str) -> HeaderValue {
    let mut bytes = key.as_bytes().to_vec();
    bytes.extend([b"-", what.as_bytes()].concat());
    let mut derived = HeaderValue::from_bytes(&bytes).expect("a value and some letters make a value");
    derived.set_sensitive(key.is_sensitive());
    derived
}

fn invalid(problem: impl Into<String>) -> InvalidPart {
    InvalidPart { problem: problem.into() }
}

fn put<K: PartialEq, V>(list: &mut Vec<(K, V)>, name: K, value: V) {
    match list.iter_mut().find(|(known, _)| *known == name) {
        Some((_, old)) => _ = mem::replace(old, value),
        None => list.push((name, value)),
    }
}

fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte.into()),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}

fn pair(name: &str, value: &str) -> String {
    format!("{}={}", escaped(name), escaped(value))
}

fn names_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET.iter().any(|word| name.contains(word))
}

pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Headers that say how the request travels, or what we have made of it.
const OURS: &[(&str, &str)] = &[
    ("accept", "answers are read as JSON"),
    ("accept-encoding", "answers are read as they come"),
    ("connection", "it belongs to the client"),
    ("content-encoding", "the body is sent as it is"),
    ("content-length", "it follows from the body"),
    ("content-type", "the body is JSON"),
    ("expect", "it belongs to the client"),
    ("host", "it follows from the URL"),
    ("keep-alive", "it belongs to the client"),
    ("proxy-authorization", "it belongs to the proxy, in its URL"),
    ("proxy-connection", "it belongs to the client"),
    ("te", "it belongs to the client"),
    ("trailer", "it belongs to the client"),
    ("transfer-encoding", "it follows from the body"),
    ("upgrade", "it belongs to the client"),
    ("x-retry-count", "a retry counts there, and another below would be silenced by it"),
];
/// Fields without which an answer would be read wrongly, in any dialect.
const GUARDED: &[(&str, &str)] = &[
    ("model", "say it in EmbedRequest::new"),
    ("input", "say it in EmbedRequest::new"),
    ("inputs", "say it in EmbedRequest::new"),
    ("texts", "say it in EmbedRequest::new"),
    ("dimensions", "say EmbedRequest::dimensions"),
    ("encoding_format", "say EmbedRequest::floats"),
    ("embedding_type", "vectors are read as 32 bit floats"),
    ("embedding_types", "vectors are read as 32 bit floats"),
    ("output_dtype", "vectors are read as 32 bit floats"),
];
const SECRET: &[&str] = &["key", "token", "secret", "auth", "password", "sig", "cookie", "credential"];
/// What is shorter is a word that any message may hold.
const LEAST_SECRET: usize = 6;
/// With a base URL of the most, it stays below what a URL may be.
const MOST_QUERY: usize = 8 << 10;
