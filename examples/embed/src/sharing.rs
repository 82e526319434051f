//! Whom a run shares its pace with.

use serde::Serialize;
use trysail::throttle::{PaceSnapshot, Store};

/// What was seen of it while lines were done with.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Sharing {
    /// How many processes there were at most, this one among them; 0 if it was never shared.
    replicas: u32,
    was_alone: bool,
}

impl Sharing {
    pub(crate) fn see(&mut self, pace: &PaceSnapshot) {
        match pace.store() {
            Store::Shared => self.replicas = self.replicas.max(pace.replicas()),
            Store::Alone => self.was_alone = true,
            _ => {}
        }
    }

    /// In words, if it is shared at all.
    pub(crate) fn words(&self) -> Option<String> {
        let shared = match self.replicas {
            0 => None,
            1 => Some("shared through Redis with nobody else".to_owned()),
            several => Some(format!("shared by {several} through Redis")),
        };
        match (shared, self.was_alone) {
            (Some(shared), true) => Some(format!("{shared}, alone while it was away")),
            (None, true) => Some("kept alone, since Redis was away".into()),
            (shared, false) => shared,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_by_how_many_and_what_was_alone() {
        for (replicas, was_alone, words) in [
            (0, false, None),
            (0, true, Some("kept alone, since Redis was away")),
            (1, false, Some("shared through Redis with nobody else")),
            (3, false, Some("shared by 3 through Redis")),
            (3, true, Some("shared by 3 through Redis, alone while it was away")),
        ] {
            let sharing = Sharing { replicas, was_alone };
            assert_eq!(sharing.words().as_deref(), words);
        }
    }
}
