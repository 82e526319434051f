use std::{fmt, hash::Hash, sync::Arc};

use http::{HeaderMap, header};

use crate::Endpoint;

/// Whose limits a call counts against: an origin, a credential and a model. What a throttle keys its paces by.
///
/// Nobody is shown the credential, and there is no hash of it but with the key of whoever hashes: in a map that is one which only
/// this process has, in a store the secret that all replicas know.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Account {
    origin: Arc<str>,
    /// Only to be compared and hashed.
    credential: Arc<[u8]>,
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
        let mut lines: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        // The order of headers says nothing.
        lines.sort_unstable();
        let credential: Vec<_> =
            lines.iter().map(|(name, value)| [name.as_bytes(), b":", value, b"\n"].concat()).collect();
        let origin = |part: Option<&str>| part.unwrap_or_default().to_owned();
        let (scheme, host) = (origin(self.uri.scheme_str()), origin(self.uri.authority().map(|of| of.as_str())));
        Account {
            origin: format!("{scheme}://{host}").into(),
            credential: credential.concat().into(),
            model: model.into(),
        }
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
    use std::hash::{BuildHasher, Hasher, RandomState};

    use super::*;

    /// Keeps what it is handed.
    #[derive(Default)]
    struct Handed(Vec<u8>);

    impl Hasher for Handed {
        fn finish(&self) -> u64 {
            0
        }

        fn write(&mut self, bytes: &[u8]) {
            self.0.extend_from_slice(bytes);
        }

        fn write_usize(&mut self, number: usize) {
            self.0.extend_from_slice(&(number as u64).to_le_bytes());
        }
    }

    #[test]
    fn each_hasher_is_handed_the_same_in_every_process_and_what_comes_of_it_depends_on_its_key() {
        let endpoint = |names: [&str; 2]| {
            let endpoint = Endpoint::openai("https://a.example/v1").and_then(|of| of.key("hunter2")).expect("one");
            names.iter().fold(endpoint, |endpoint, name| endpoint.header(name, "x").expect("a header"))
        };
        let accounts = [endpoint(["b", "c"]).account("m"), endpoint(["c", "b"]).account("m")];
        for account in &accounts {
            let mut handed = Handed::default();
            account.hash(&mut handed);
            let credential = b"authorization:Bearer hunter2\nb:x\nc:x\n";
            let length = (credential.len() as u64).to_le_bytes();
            assert_eq!(handed.0, [b"https://a.example\xff", &length[..], credential, b"m\xff"].concat());
        }
        let (here, there) = (RandomState::new(), RandomState::new());
        assert_eq!(here.hash_one(&accounts[0]), here.hash_one(&accounts[1]));
        assert_ne!(here.hash_one(&accounts[0]), there.hash_one(&accounts[0]));
    }

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
