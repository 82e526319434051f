use std::{
    fmt::Write,
    hash::{Hash, Hasher},
    sync::Arc,
};

use ring::hmac::{Context, HMAC_SHA256, Key};

/// How the keys of paces are named in Redis.
#[derive(Clone)]
pub(super) struct Naming {
    namespace: Arc<str>,
    key: Key,
}

/// The names of all that is kept of one pace. They share a hash tag, so that a cluster keeps them together.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) pace: Arc<str>,
    pub(super) replicas: Arc<str>,
}

impl Naming {
    pub(super) fn new(secret: Option<&str>) -> Self {
        Self { namespace: "trysail".into(), key: key(secret.unwrap_or_default().as_bytes()) }
    }

    pub(super) fn within(self, namespace: &str) -> Self {
        // A brace would be another hash tag.
        Self { namespace: namespace.replace(['{', '}'], "_").into(), ..self }
    }

    pub(super) fn keyed(self, secret: &[u8]) -> Self {
        Self { key: key(secret), ..self }
    }

    pub(super) fn of(&self, what: &impl Hash) -> Names {
        let mut hasher = HmacHasher(Context::with_key(&self.key));
        what.hash(&mut hasher);
        let mut tag = String::new();
        for byte in &hasher.0.sign().as_ref()[..16] {
            write!(tag, "{byte:02x}").expect("a text has room");
        }
        let name = |of| format!("{}:{{{tag}}}:{of}", self.namespace).into();
        Names { pace: name("pace"), replicas: name("replicas") }
    }
}

fn key(secret: &[u8]) -> Key {
    Key::new(HMAC_SHA256, secret)
}

/// Numbers are written alike on all machines.
struct HmacHasher(Context);

impl Hasher for HmacHasher {
    fn finish(&self) -> u64 {
        let mut first = [0; 8];
        first.copy_from_slice(&self.0.clone().sign().as_ref()[..8]);
        u64::from_le_bytes(first)
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn write_u16(&mut self, number: u16) {
        self.write(&number.to_le_bytes());
    }

    fn write_u32(&mut self, number: u32) {
        self.write(&number.to_le_bytes());
    }

    fn write_u64(&mut self, number: u64) {
        self.write(&number.to_le_bytes());
    }

    fn write_u128(&mut self, number: u128) {
        self.write(&number.to_le_bytes());
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_agree_where_key_and_secret_do_and_nowhere_else() {
        let name = |secret: &[u8], key: &str| Naming::new(None).keyed(secret).of(&key).pace;
        assert_eq!(name(b"s", "hunter2"), name(b"s", "hunter2"));
        assert_ne!(name(b"s", "hunter2"), name(b"s", "hunter3"));
        assert_ne!(name(b"s", "hunter2"), name(b"t", "hunter2"));
        assert_eq!(Naming::new(Some("s")).of(&"hunter2").pace, name(b"s", "hunter2"));
        assert!(!name(b"s", "hunter2").contains("hunter2"));
    }

    #[test]
    fn the_names_of_one_pace_have_one_hash_tag() {
        let names = Naming::new(None).within("a{b}c").of(&1);
        let tag = |name: &str| name.split(['{', '}']).nth(1).map(str::to_owned);
        assert_eq!(tag(&names.pace), tag(&names.replicas));
        assert_eq!(tag(&names.pace).map(|tag| tag.len()), Some(32));
        assert!(names.pace.starts_with("a_b_c:{") && names.pace.ends_with("}:pace"), "{}", names.pace);
    }

    #[test]
    fn a_key_is_named_alike_by_every_build() {
        // What it hashes to may only change when replicas of the last version need not share with those of the next.
        assert_eq!(
            &*Naming::new(None).of(&("https://a.example", 7_u64)).replicas,
            "trysail:{344b21e9e1f971e8e73ab7fdb518cb42}:replicas"
        );
    }
}
