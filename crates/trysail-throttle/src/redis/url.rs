use std::{error::Error, fmt};

use redis::{Client, ConnectionAddr};

/// A text that is not the URL of a Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidUrl {
    why: &'static str,
}

/// Where a Redis is, and how one logs in there.
pub(super) struct Address {
    client: Client,
}

impl Address {
    pub(super) fn parse(url: &str) -> Result<Self, InvalidUrl> {
        let (scheme, rest) = url.split_once("://").ok_or(InvalidUrl { why: "it has no scheme" })?;
        if !SCHEMES.contains(&scheme) {
            return Err(InvalidUrl { why: "its scheme is none of redis, rediss, redis+unix, unix, valkey, valkeys" });
        }
        if rest.is_empty() {
            return Err(InvalidUrl { why: "it names no host" });
        }
        // What the crate says about it may repeat parts of the URL.
        let client = Client::open(url).map_err(|_| InvalidUrl { why: "its host, port or database cannot be read" })?;
        Ok(Self { client })
    }

    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn password(&self) -> Option<&str> {
        self.client.get_connection_info().redis_settings().password()
    }

    pub(super) fn is_encrypted(&self) -> bool {
        matches!(self.client.get_connection_info().addr(), ConnectionAddr::TcpTls { .. })
    }
}

/// Without user and password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.client.get_connection_info().addr().fmt(f)
    }
}

impl fmt::Display for InvalidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not the URL of a Redis (redis://[user][:password@]host[:port][/database]): {}", self.why)
    }
}

impl Error for InvalidUrl {}

const SCHEMES: [&str; 6] = ["redis", "rediss", "redis+unix", "unix", "valkey", "valkeys"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_shows_no_password() {
        for url in [
            "redis://user:hunter2@r.example:7000/3",
            "rediss://:hunter2@r.example",
            "redis+unix:///run/r.sock?pass=hunter2",
        ] {
            let address = Address::parse(url).expect("it is one");
            assert_eq!(address.password(), Some("hunter2"), "{url}");
            assert!(!address.to_string().contains("hunter2"), "{address}");
        }
        assert_eq!(Address::parse("redis://r.example").expect("it is one").to_string(), "r.example:6379");
    }

    #[test]
    fn what_is_none_is_said_to_be_none_without_its_password() {
        for url in ["", "hunter2", "http://:hunter2@a", "redis://", "redis://:hunter2@a:b", "redis://:hunter2@a/b"] {
            let error = Address::parse(url).err().expect("it is none");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }
}
