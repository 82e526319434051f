//! Timeout, retry, timeout of tower, with a policy as its users write it: three retries after waits that double.

use std::time::Duration;

use tokio::time::{Sleep, sleep};
use tower::{BoxError, ServiceBuilder, retry::Policy};
use trysail_size::{ATTEMPT, FIRST, OVERALL};

#[derive(Clone)]
struct Attempts {
    left: u32,
    delay: Duration,
}

impl Policy<usize, usize, BoxError> for Attempts {
    type Future = Sleep;

    fn retry(&mut self, _: &mut usize, outcome: &mut Result<usize, BoxError>) -> Option<Sleep> {
        let (true, Some(left)) = (outcome.is_err(), self.left.checked_sub(1)) else { return None };
        let delay = self.delay;
        *self = Self { left, delay: delay * 2 };
        Some(sleep(delay))
    }

    fn clone_request(&mut self, request: &usize) -> Option<usize> {
        Some(*request)
    }
}

fn main() -> Result<(), BoxError> {
    let stack = ServiceBuilder::new().timeout(OVERALL).retry(Attempts { left: 3, delay: FIRST }).timeout(ATTEMPT);
    trysail_size::call(stack.service(trysail_size::flaky()))
}
