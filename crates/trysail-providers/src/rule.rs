use std::time::Duration;

use bytes::Bytes;
use http::Response;
use serde::{Deserialize, Deserializer, de};
use trysail_core::{Class, Verdict};

use crate::Complaint;

/// A rule that can stand in a configuration file: if all that it names is so, the verdict is adjusted.
///
/// # Examples
///
/// ```
/// use trysail_providers::{Providers, Rule};
///
/// let rules: Vec<Rule> = serde_json::from_str(
///     r#"[
///         { "status": 404, "message": "not registered", "class": "warming" },
///         { "code": "needs_attention", "retry": false },
///         { "status": 503, "retry_after_ms": 2000 }
///     ]"#,
/// )?;
/// let judge = Providers.rule(move |answer, verdict| {
///     rules.iter().fold(verdict, |verdict, rule| rule.apply(answer, verdict))
/// });
/// # let _ = judge;
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    status: Option<u16>,
    code: Option<String>,
    message: Option<String>,
    #[serde(deserialize_with = "class")]
    class: Option<Class>,
    retry: Option<bool>,
    retry_after_ms: Option<u64>,
}

impl Rule {
    /// What becomes of the `verdict` on `response`.
    pub fn apply(&self, response: &Response<Bytes>, verdict: Verdict) -> Verdict {
        if self.fits(response) { self.adjust(verdict) } else { verdict }
    }

    fn fits(&self, response: &Response<Bytes>) -> bool {
        if self.status.is_some_and(|status| response.status() != status) {
            return false;
        }
        if self.code.is_none() && self.message.is_none() {
            return true;
        }
        let Some(complaint) = Complaint::of(response) else { return false };
        let named = |code: &String| [complaint.code(), complaint.kind()].contains(&Some(code));
        let says = |words: &String| complaint.lower().contains(&words.to_lowercase());
        self.code.as_ref().is_none_or(named) && self.message.as_ref().is_none_or(says)
    }

    fn adjust(&self, verdict: Verdict) -> Verdict {
        let hint = verdict.retry_after().unwrap_or_default();
        let verdict = self.class.map_or(verdict, |class| of(class).after(hint));
        let verdict = match self.retry {
            Some(true) => verdict.again(),
            Some(false) => verdict.once(),
            None => verdict,
        };
        self.retry_after_ms.map_or(verdict, |ms| verdict.after(Duration::from_millis(ms)))
    }
}

const fn of(class: Class) -> Verdict {
    match class {
        Class::Success => Verdict::SUCCESS,
        Class::Throttled => Verdict::THROTTLED,
        Class::QuotaExhausted => Verdict::QUOTA_EXHAUSTED,
        Class::Auth => Verdict::AUTH,
        Class::Permanent => Verdict::PERMANENT,
        Class::Malformed => Verdict::MALFORMED,
        Class::Warming => Verdict::WARMING,
        Class::Refused => Verdict::REFUSED,
        _ => Verdict::TRANSIENT,
    }
}

fn class<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Class>, D::Error> {
    let Some(name) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let known = Class::ALL.into_iter().find(|class| class.as_str() == name);
    let unknown = || {
        let names = Class::ALL.map(Class::as_str).join(", ");
        de::Error::custom(format_args!("`{name}` is no class; there are {names}"))
    };
    known.map(Some).ok_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &'static str) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from_static(body.as_bytes()));
        *response.status_mut() = status.try_into().expect("a status");
        response
    }

    #[test]
    fn all_that_a_rule_names_must_be_so() {
        let rule: Rule = serde_json::from_str(
            r#"{"status":404,"code":"c","message":"Not Yet","class":"warming","retry_after_ms":1500}"#,
        )
        .expect("a rule");
        let warming = Verdict::WARMING.after(Duration::from_millis(1_500));
        let table = [
            (404, r#"{"error":{"code":"c","message":"it is not yet there"}}"#, warming),
            (404, r#"{"error":{"code":"d","message":"it is not yet there"}}"#, Verdict::PERMANENT),
            (404, r#"{"error":{"code":"c","message":"never"}}"#, Verdict::PERMANENT),
            (400, r#"{"error":{"code":"c","message":"not yet"}}"#, Verdict::PERMANENT),
            (404, "", Verdict::PERMANENT),
        ];
        for (status, body, verdict) in table {
            assert_eq!(rule.apply(&answer(status, body), Verdict::PERMANENT), verdict, "{status} {body}");
        }
    }

    #[test]
    fn a_rule_adjusts_no_more_than_it_says() {
        let rule = |text| serde_json::from_str::<Rule>(text);
        let hinted = Verdict::THROTTLED.after(Duration::from_secs(7));
        let apply = |text| rule(text).expect("a rule").apply(&answer(429, ""), hinted);
        assert_eq!(apply("{}"), hinted);
        assert_eq!(apply(r#"{"retry":false}"#), hinted.once());
        assert_eq!(apply(r#"{"class":"quota_exhausted"}"#), Verdict::QUOTA_EXHAUSTED.after(Duration::from_secs(7)));
        assert_eq!(apply(r#"{"status":500,"retry":false}"#), hinted);
        assert!(rule(r#"{"class":"angry"}"#).expect_err("no class").to_string().contains("quota_exhausted"));
        assert!(rule(r#"{"statuses":1}"#).is_err());
    }
}
