use std::{
    fmt,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash},
    sync::Arc,
};

use http::{HeaderMap, header};

use crate::Endpoint;

/// Whose limits a call counts against: an origin, a credential and a model. What a throttle keys its paces by.
///
/// The credential is a hash, the same in all processes of one build so that they may share a pace, and `Debug` does not show it. A
/// store is told of it only what it is hashed to with the store's own secret.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Account {
    origin: Arc<str>,
    credential: u64,
    model: Arc<str>,
}

impl Endpoint {
    /// Whose limits calls for `model` count against; headers of one's own may be credentials and are told apart as well.
    pub fn account(&self, model: &str) -> Account {
        let mut headers = HeaderMap::new();
        if let Some(sent) = &self.sent {
            headers.insert(header::AUTHORIZATION, sent.clone());
        }
        self.own.write_headers(&mut headers);
        let hash = BuildHasherDefault::<DefaultHasher>::default();
        // The order of headers says nothing.
        let credential = headers
            .iter()
            .map(|(name, value)| hash.hash_one((name.as_str(), value.as_bytes())))
            .fold(0, u64::wrapping_add);
        let origin = |part: Option<&str>| part.unwrap_or_default().to_owned();
        let (scheme, host) = (origin(self.uri.scheme_str()), origin(self.uri.authority().map(|of| of.as_str())));
        Account { origin: format!("{scheme}://{host}").into(), credential, model: model.into() }
    }
}

impl Account {
    /// The origin that is asked.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The model.
    pub fn model(&self) -> &str {
        &self.model
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.origin, self.model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_differ_by_origin_credential_and_model_and_show_no_credential() {
        let endpoint = |key: &str| Endpoint::openai("https://a.example/v1").and_then(|of| of.key(key)).expect("one");
        let account = endpoint("hunter2").account("m");
        assert_eq!(account, endpoint("hunter2").account("m"));
        assert_eq!(format!("{account:?}"), "https://a.example m");
        let own = |value| endpoint("hunter2").header("x-org", value).expect("a header").account("m");
        let elsewhere = Endpoint::openai("https://b.example/v1").and_then(|of| of.key("hunter2")).expect("one");
        let others = [
            endpoint("hunter3").account("m"),
            endpoint("hunter2").account("n"),
            elsewhere.account("m"),
            own("one"),
            own("two"),
        ];
        for (place, other) in others.iter().enumerate() {
            assert!(*other != account && others[..place].iter().all(|before| before != other), "{place}");
        }
    }
}
