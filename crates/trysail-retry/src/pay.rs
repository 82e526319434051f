//! A budget pays for what other layers send in addition, too.

use tokio::time::Instant;
use trysail_core::{Pay, Verdict};

use crate::{Budget, Charge};

/// What is given back earns nothing: successes are counted by the retry that the budget belongs to.
impl Pay for Budget {
    type Charge = Charge;

    fn pay(&self, verdict: Verdict) -> Option<Charge> {
        self.withdraw(verdict, Instant::now())
    }

    fn give_back(&self, charge: Charge) {
        Self::give_back(self, charge);
    }
}
