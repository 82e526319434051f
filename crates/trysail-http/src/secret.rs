//! What carries a credential, by its name.

use std::hash::BuildHasher;

use http::{HeaderName, HeaderValue};

/// What tells the credential of a request from that of another: what `key` makes of its headers and its parameters of the
/// URL that carry one, in whatever order they are. `None` if none does.
pub fn credential<'a>(
    headers: impl Iterator<Item = (&'a HeaderName, &'a HeaderValue)>,
    parameters: impl Iterator<Item = (&'a str, &'a str)>,
    key: &impl BuildHasher,
) -> Option<u64> {
    let headers = headers.filter(|(name, _)| is_secret_header(name));
    let headers = headers.map(|(name, value)| key.hash_one((name.as_str(), value.as_bytes())));
    let parameters = parameters.filter(|(name, _)| is_secret_parameter(name)).map(|parameter| key.hash_one(parameter));
    headers.chain(parameters).reduce(u64::wrapping_add)
}

/// Whether a header of this name carries a credential.
pub(crate) fn is_secret_header(name: &HeaderName) -> bool {
    SECRET_HEADERS.iter().any(|secret| name == secret)
}

/// Whether a parameter of a URL, of this name, carries a credential.
pub(crate) fn is_secret_parameter(name: &str) -> bool {
    SECRET_PARAMETERS.iter().any(|secret| name.eq_ignore_ascii_case(secret))
}

pub(crate) const SECRET_HEADERS: [&str; 7] =
    ["api-key", "authorization", "cookie", "proxy-authorization", "x-api-key", "x-auth-token", "x-goog-api-key"];
const SECRET_PARAMETERS: [&str; 6] = ["access_token", "api-key", "api_key", "apikey", "key", "token"];
