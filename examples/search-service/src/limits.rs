use std::{collections::BTreeMap, time::Duration};

use trysail::{Adjustable, Deadline, Preset};

/// How long things may take; clones are handles of the same limits, and a change holds for calls made from then on.
#[derive(Clone, Debug)]
pub struct Limits {
    query: Adjustable,
    query_attempt: Adjustable,
    ingest: Adjustable,
    ingest_attempt: Adjustable,
}

impl Limits {
    /// All of them, in milliseconds.
    pub fn get(&self) -> BTreeMap<&'static str, u128> {
        self.named().map(|(name, limit)| (name, limit.get().as_millis())).into()
    }

    /// Changes those that `limits` names, all or none.
    ///
    /// # Errors
    ///
    /// A name must be one of theirs, and a limit is more than nothing and at most ten minutes.
    pub fn set(&self, limits: &BTreeMap<String, u64>) -> Result<(), String> {
        let named = BTreeMap::from(self.named());
        let change = |(name, ms): (&String, &u64)| match (named.get(&**name), ms) {
            (Some(limit), 1..=MOST_MS) => Ok((*limit, Duration::from_millis(*ms))),
            (Some(_), _) => Err(format!("a {name} is 1 to {MOST_MS} ms")),
            (None, _) => Err(format!("there is no limit {name}: say {:?}", named.keys())),
        };
        let changes = limits.iter().map(change).collect::<Result<Vec<_>, _>>()?;
        changes.into_iter().for_each(|(limit, time)| limit.set(time));
        Ok(())
    }

    /// When a query that begins now is over.
    pub(crate) fn query_deadline(&self) -> Deadline {
        Deadline::within(self.query.get())
    }

    /// Three tries in five seconds, and none against an open circuit: somebody waits.
    pub(crate) fn query(&self) -> Preset<Adjustable> {
        raisable(Preset::interactive().limits(self.query.clone(), self.query_attempt.clone()).retries(2))
    }

    /// Twenty tries, and patience: nobody waits, and what fails has to be done again.
    pub(crate) fn ingest(&self) -> Preset<Adjustable> {
        raisable(Preset::bulk().limits(self.ingest.clone(), self.ingest_attempt.clone()))
    }

    fn named(&self) -> [(&'static str, &Adjustable); 4] {
        [
            ("query", &self.query),
            ("query_attempt", &self.query_attempt),
            ("ingest", &self.ingest),
            ("ingest_attempt", &self.ingest_attempt),
        ]
    }
}

impl Default for Limits {
    fn default() -> Self {
        let ms = |ms| Adjustable::new(Duration::from_millis(ms));
        Self { query: ms(5_000), query_attempt: ms(1_500), ingest: ms(600_000), ingest_attempt: ms(10_000) }
    }
}

/// A preset whose circuit waits for a probe as long as an attempt may ever take, whatever the limit is now.
fn raisable(preset: Preset<Adjustable>) -> Preset<Adjustable> {
    preset.circuit().update(|settings| settings.lease(Duration::from_millis(MOST_MS)));
    preset
}

const MOST_MS: u64 = 600_000;
