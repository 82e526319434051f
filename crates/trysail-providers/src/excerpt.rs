/// A piece of `text` that is safe to show: at most 200 characters on one line, with everything that looks like a
/// key masked.
///
/// Masked is what follows `Bearer` or `key:`, what starts like a key (`sk-`), and any long run of letters and digits
/// that is not made of words and short numbers.
pub fn excerpt(text: &str) -> String {
    let mut shown = String::new();
    let mut left = LONGEST;
    let mut context = Context::Words;
    for (token, gap) in tokens(text) {
        let masked = !token.is_empty() && (context == Context::Key || secret(token));
        context = context.after(token, gap);
        let piece = if masked { MASK } else { token };
        for c in piece.chars().chain(gap.chars()) {
            if left == 0 {
                shown.push('…');
                return shown;
            }
            shown.push(if invisible(c) { ' ' } else { c });
            left -= 1;
        }
    }
    shown
}

/// What the next token is going to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    Words,
    Key,
}

impl Context {
    fn after(self, token: &str, gap: &str) -> Self {
        let is = |names: &[&str]| names.iter().any(|name| token.to_ascii_lowercase().ends_with(name));
        let announced = is(SCHEMES) || (is(NAMES) && gap.contains([':', '=']));
        // `key: "…"` has its gap split where the quotes are empty tokens.
        let still = self == Self::Key && token.is_empty();
        if announced || still { Self::Key } else { Self::Words }
    }
}

/// Each run without separators, and the separators that follow it.
fn tokens(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (token, after) = rest.split_at(rest.find(separates).unwrap_or(rest.len()));
        let (gap, next) = after.split_at(after.find(|c| !separates(c)).unwrap_or(after.len()));
        rest = next;
        Some((token, gap))
    })
}

fn separates(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "\"'`()[]{}<>,;:=&?|".contains(c)
}

fn secret(token: &str) -> bool {
    let runs = || token.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
    runs().any(|run| PREFIXES.iter().any(|prefix| run.starts_with(prefix)))
        || runs().any(|run| run.len() >= SHORTEST && !run.split(['-', '_']).all(readable))
}

/// Whether `part` is a word or a short number, as in `text-embedding-3-small`.
fn readable(part: &str) -> bool {
    let digits = part.bytes().filter(u8::is_ascii_digit).count();
    if digits == 0 {
        // `RateLimitReached` has few capitals, a random key every other letter.
        let capitals = part.bytes().filter(u8::is_ascii_uppercase).count();
        let uniform = capitals == 0 || capitals == part.len();
        return part.len() <= 12
            || (uniform && part.len() <= 20)
            || (capitals > 0 && capitals * 4 <= part.len() && part.len() <= 36);
    }
    // `v2`, `ada002`, `7b`, `2024`: one number, at one end.
    let middle = part.trim_start_matches(|c: char| c.is_ascii_digit()).trim_end_matches(|c: char| c.is_ascii_digit());
    let one_end = part.starts_with(middle) || part.ends_with(middle);
    digits <= 4 && part.len() <= 10 && one_end && middle.bytes().all(|b| b.is_ascii_alphabetic())
}

fn invisible(c: char) -> bool {
    let redirects =
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    c.is_control() || redirects
}

const LONGEST: usize = 199;
const SHORTEST: usize = 16;
const MASK: &str = "***";
const SCHEMES: &[&str] = &["bearer", "basic"];
const NAMES: &[&str] = &["key", "token", "secret", "password", "provided"];
const PREFIXES: &[&str] = &["sk-", "sk_", "pk-", "pk_", "hf_", "gsk_", "pa-", "AIza", "eyJ"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_echoed_key_is_shown() {
        let keys = [
            "sk-proj-abc",
            "sk-1234567890abcdef1234567890abcdef",
            "AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY",
            "hf_abcdefghijklmnop",
            "0123456789abcdef0123456789abcdef",
            "a1b2c3d4-e5f6-a7b8-c9d0-e1f2a3b4c5d6",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
            "QUJDREVGR0hJSktM+MTIzNDU2Nzg5MDEyMzQ1Njc4OTA/abc==",
            "qwertyuiopasdfghjklzxcvbnmqwerty",
            "QweRtyUiOpAsDfGhJkLzXcVbNm",
        ];
        for key in keys {
            for text in [
                format!("Incorrect API key provided: {key}. You can find yours at https://example.com/keys."),
                format!("{{\"api_key\":\"{key}\"}}"),
                format!("Authorization: Bearer {key}"),
                format!("token={key}&x=1"),
                format!("no such user {key}"),
                key.to_owned(),
            ] {
                let shown = excerpt(&text);
                assert!(!shown.contains(key), "{shown}");
                for part in key.split(['-', '_', '.', '+', '/']).filter(|part| part.len() >= 8) {
                    assert!(!shown.contains(part), "{shown}");
                }
            }
        }
    }

    #[test]
    fn a_short_key_is_masked_where_it_is_announced() {
        assert_eq!(excerpt("Incorrect API key provided: hunter2."), "Incorrect API key provided: ***");
        assert_eq!(excerpt("authorization: bearer hunter2"), "authorization: bearer ***");
        assert_eq!(excerpt(r#"{"key": "hunter2"}"#), r#"{"key": "***"}"#);
    }

    #[test]
    fn words_stay_readable() {
        for text in [
            "The model `text-embedding-3-small` does not exist or you do not have access to it.",
            "This model's maximum context length is 8192 tokens, however you requested 9213 tokens.",
            "RateLimitReached: gpt-4o-2024-08-06 and text-embedding-ada-002 in multilingual-e5-large-instruct",
            "unsupported_country_region_territory, ServiceQuotaExceededException",
            "BAAI/bge-base-en-v1.5 at https://api.example.com/v1/embeddings: all-MiniLM-L6-v2",
        ] {
            assert_eq!(excerpt(text), text);
        }
    }

    #[test]
    fn an_excerpt_is_one_short_line() {
        assert_eq!(excerpt("a\r\nb\u{1b}[31mc\u{202e}d"), "a  b [31mc d");
        let long = excerpt(&"ä ".repeat(400));
        assert_eq!(long.chars().count(), 200);
        assert!(long.ends_with('…'));
        assert_eq!(excerpt(&"ä ".repeat(99)).chars().count(), 198);
    }
}
