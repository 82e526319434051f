//! What goes wrong, and when: a plan that is written in one line and repeats exactly.
//!
//! ```
//! # use trysail_testkit::faults::Plan;
//! let plan: Plan = "503:10, 429=200ms:5, hang:2, down:2s@5s".parse()?;
//! assert_eq!(plan.seeded(7).to_string(), "503:10,429=200ms:5,hang:2,down:2s@5s");
//! # Ok::<_, trysail_testkit::faults::ParseError>(())
//! ```
//!
//! `name:percent` gives a fault its share of the requests. Which request meets which fault follows from the seed and
//! the request's number alone, so a plan with the same seed does the same again, whatever the timing. `name#2` is for the
//! second request and no other.
//!
//! `down:2s@5s` is an outage: from five seconds after the start, for two, every connection is reset, new ones as soon
//! as they are accepted and old ones at their next request.
//!
//! `storm` is a plan of its own: a quarter of the requests fails, in eight ways. [`Fault`] lists the faults.

mod fault;
mod parse;

use std::{num::NonZeroU64, time::Duration};

use trysail_core::Random;

pub use self::{fault::Fault, parse::ParseError};

/// Which requests fail how.
///
/// The default is a plan without faults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    shares: Vec<(Fault, u64)>,
    numbered: Vec<(Fault, NonZeroU64)>,
    outages: Vec<Outage>,
    seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Outage {
    start: Duration,
    length: Duration,
}

impl Plan {
    /// The same plan, with another draw of requests.
    pub fn seeded(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// What happens to the request with the number `ordinal`, counted from 0.
    pub fn fault(&self, ordinal: u64) -> Option<Fault> {
        let numbered = self.numbered.iter().find(|(_, number)| number.get() - 1 == ordinal);
        if let Some(&(fault, _)) = numbered {
            return Some(fault);
        }
        let mut percent = Random::seeded(Random::seeded(self.seed).draw() ^ ordinal).below(100);
        for &(fault, share) in &self.shares {
            match percent.checked_sub(share) {
                Some(rest) => percent = rest,
                None => return Some(fault),
            }
        }
        None
    }

    /// Whether there is an outage `uptime` after the start.
    pub fn is_down(&self, uptime: Duration) -> bool {
        self.outages.iter().any(|outage| uptime.checked_sub(outage.start).is_some_and(|since| since < outage.length))
    }
}
