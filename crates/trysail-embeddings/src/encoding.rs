//! Whether a server does not take how a request asks that vectors be encoded.

use bytes::Bytes;
use http::{Response, StatusCode};
use trysail_core::Class;
use trysail_providers::Providers;

use crate::validate::{self, Expected, Flaw};

/// Whether `response` refuses a request for `asked`, and does not merely repeat it.
pub(crate) fn is_refused(response: &Response<Bytes>, asked: &str) -> bool {
    let body = response.body();
    let speaks = || {
        let said = String::from_utf8_lossy(&body[..body.len().min(ENOUGH)]).to_lowercase();
        names_field(&said) || (asked == BASE64 && (names_base64(&said) || names_numbers_alone(&said)))
    };
    let of_caller = || {
        let class = Providers.judge(response).verdict().class();
        matches!(class, Class::Auth | Class::QuotaExhausted | Class::Throttled)
    };
    STATUSES.contains(&response.status()) && speaks() && !of_caller()
}

/// Whether an answer with `flaw` is what servers say that can do no base64, and do not know that: nothing.
pub(crate) fn is_unanswered(flaw: Flaw, response: &Response<Bytes>, asked: &str, expected: Expected) -> bool {
    asked == BASE64
        && matches!(flaw, Flaw::Count { found: 0, .. })
        && validate::error_inside(flaw, &mut response.clone(), expected).is_none()
}

fn names_field(said: &str) -> bool {
    NAMES.iter().any(|name| {
        said.match_indices(name).any(|(at, _)| {
            !is_key(&said[at + name.len()..]) || is_refused_pair(said, at) || is_called_unknown(&said[..at])
        })
    })
}

/// Whether what follows a name makes it the key of a JSON object, however often that was quoted.
fn is_key(after: &str) -> bool {
    let after = after.trim_start_matches('\\');
    after.strip_prefix(['"', '\'']).is_some_and(|rest| rest.trim_start().starts_with(':'))
}

/// Whether what stands before a name says that nobody knows it.
fn is_called_unknown(before: &str) -> bool {
    let before = before.trim_end_matches(BETWEEN);
    UNKNOWN.iter().any(|words| before.ends_with(words))
}

/// Whether numbers are said to be all there is.
fn names_numbers_alone(said: &str) -> bool {
    said.contains("float")
        && ["encod", "format", "permitted"].iter().any(|word| said.contains(word))
        && ["only", "permitted", "allowed", "must be", "support", "one of"].iter().any(|word| said.contains(word))
}

/// Whether the key at `at` stands in an object of parameters that the words around it refuse, and not in a request.
fn is_refused_pair(said: &str, at: usize) -> bool {
    let Some(start) = said[..at].rfind('{') else { return false };
    let Some(length) = said[start..].find('}') else { return false };
    let (object, after) = said[start..].split_at(length);
    let before = said[..start].char_indices().rev().nth(NEAR).map_or(&said[..start], |(near, _)| &said[near..start]);
    let after = after.char_indices().nth(NEAR).map_or(after, |(near, _)| &after[..near]);
    let is_request =
        REQUEST.iter().any(|name| object.match_indices(name).any(|(at, _)| is_key(&object[at + name.len()..])));
    !is_request && [before, after].iter().any(|words| REFUSED.iter().any(|refused| words.contains(refused)))
}

/// Whether a clause that names base64 says that it cannot be, and is not the value of the field.
fn names_base64(said: &str) -> bool {
    said.match_indices(BASE64).any(|(at, _)| {
        let (before, after) = (&said[..at], &said[at + BASE64.len()..]);
        let is_value = NAMES.iter().any(|name| before.trim_end_matches(BETWEEN).ends_with(name));
        let start = before.rfind(ENDS).map_or(0, |end| end + 1);
        let end = after.find(ENDS).unwrap_or(after.len());
        let clause = [&before[start..], &after[..end]];
        !is_value && clause.iter().any(|words| REFUSED.iter().chain(LIMITED).any(|refused| words.contains(refused)))
    })
}

const BASE64: &str = "base64";
const ENOUGH: usize = 64 << 10;
/// How far from an object its words may be, in characters.
const NEAR: usize = 120;
const STATUSES: &[StatusCode] = &[
    StatusCode::OK,
    StatusCode::BAD_REQUEST,
    StatusCode::NOT_ACCEPTABLE,
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    StatusCode::UNPROCESSABLE_ENTITY,
    StatusCode::INTERNAL_SERVER_ERROR,
    StatusCode::NOT_IMPLEMENTED,
];
const NAMES: &[&str] = &["encoding_format", "encoding format", "encoding-format", "encodingformat"];
/// What a request holds, and no list of what is wrong with it.
const REQUEST: &[&str] = &["input", "inputs", "model"];
const BETWEEN: &[char] = &['"', '\'', '\\', ':', '=', ' ', '`'];
const ENDS: &[char] = &['.', ';', '\n', '{', '}'];
const REFUSED: &[&str] = &[
    "support",
    "implement",
    "unknown",
    "unrecogni",
    "unexpected",
    "not permitted",
    "not allowed",
    "not available",
    "extra",
    "drop",
    "invalid param",
    "invalid arg",
    "不支持",
];
const UNKNOWN: &[&str] = &["unknown name", "unknown field", "unknown parameter", "unknown argument", "unknown key"];
const LIMITED: &[&str] = &["invalid", "must be", "only", "expected", "should be", "cannot", "unable"];

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, body: &str) -> [bool; 2] {
        let response = || Response::builder().status(status).body(Bytes::from(body.to_owned())).expect("a response");
        [is_refused(&response(), BASE64), is_refused(&response(), "float")]
    }

    #[test]
    fn a_server_may_say_in_many_ways_that_it_does_not_know_the_field() {
        for body in [
            r#"{"detail":[{"loc":["body","encoding_format"],"msg":"extra fields not permitted","type":"value_error.extra"}]}"#,
            r#"{"detail":[{"type":"extra_forbidden","loc":["body","encoding_format"],"msg":"Extra inputs are not permitted","input":"base64"}]}"#,
            r#"{"error":{"message":"Unknown parameter: 'encoding_format'.","param":"encoding_format"}}"#,
            r#"{"error":{"message":"unknown parameter","param":"encoding_format"}}"#,
            r#"{"error":{"message":"Unrecognized request argument supplied: encoding_format"}}"#,
            r#"{"error":{"message":"Invalid JSON payload received. Unknown name \"encoding_format\": Cannot find field."}}"#,
            "encoding_format base64 is not supported",
            "encoding_format: unsupported",
            "this encoding format is not supported",
            "Unsupported encodingFormat",
            r#"{"error":{"message":"litellm.UnsupportedParamsError: Setting {'encoding_format': 'base64'} is not supported by x. To drop it, set `drop_params`."}}"#,
            r#"{"error":{"message":"this model does not support parameters: {'encoding_format': 'float'}. Drop them."}}"#,
            r#"{"error":{"message":"this model does not support parameters: {'user': 'me', 'encoding_format': 'float'}"}}"#,
            r#"{"error":{"message":"unknown parameters: {\"encoding_format\": \"base64\"}"}}"#,
        ] {
            for status in [200, 400, 406, 415, 422, 500, 501] {
                assert_eq!(refused(status, body), [true; 2], "{status} {body}");
            }
            for status in [401, 403, 404, 413, 429, 502, 503] {
                assert_eq!(refused(status, body), [false; 2], "{status} {body}");
            }
        }
    }

    #[test]
    fn who_cannot_do_base64_is_understood_if_that_was_asked_for() {
        for body in [
            r#"{"error":"base64 is not supported"}"#,
            r#"{"error":{"message":"Unsupported value: 'base64'"}}"#,
            "only float is possible, no base64",
            "base64 embeddings are not implemented",
            "cannot encode as base64",
            "only float encoding is supported",
            "value is not a valid enumeration member; permitted: 'float'",
            "unexpected value; permitted: 'float'",
        ] {
            assert_eq!(refused(400, body), [true, false], "{body}");
        }
    }

    #[test]
    fn an_echo_is_no_refusal_of_the_encoding() {
        for body in [
            "",
            r#"{"error":{"message":"model not supported"},"request":{"model":"m","encoding_format":"base64"}}"#,
            r#"{"detail":[{"loc":["body","input"],"msg":"extra fields not permitted","input":{"input":"a","encoding_format":"base64"}}]}"#,
            r#"{"error":"cannot take {\"input\":[\"a\"],\"encoding_format\":\"base64\"}"}"#,
            r#"{"detail":"wrong: {'encoding_format': 'base64', 'input': ['my"#,
            r#"{"error":"input is empty","encoding_format":"base64"}"#,
            r#"{"error":"too long","request":{"encoding_format":"float"}}"#,
        ] {
            assert_eq!(refused(400, body), [false; 2], "{body}");
        }
    }

    #[test]
    fn what_is_said_of_the_caller_is_not_said_of_the_encoding() {
        for body in [
            r#"{"error":{"code":"insufficient_quota","message":"encoding_format base64 is not supported on your plan"}}"#,
            r#"{"error":{"code":"invalid_api_key","message":"unknown encoding_format"}}"#,
            r#"{"error":{"code":"rate_limit_exceeded","message":"unknown encoding_format"}}"#,
        ] {
            assert_eq!(refused(400, body), [false; 2], "{body}");
        }
    }
}
