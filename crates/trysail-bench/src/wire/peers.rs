//! What the peers leave to their users, around a client: three retries with a pause and a budget.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tokio::time::Sleep;
use tower::retry::{
    Policy,
    budget::{Budget, TpsBudget},
};

#[derive(Clone, Default)]
pub(crate) struct Thrice {
    made: u32,
    budget: Arc<TpsBudget>,
}

impl<E> Policy<Request<Full<Bytes>>, Response<Bytes>, E> for Thrice {
    type Future = Sleep;

    fn retry(
        &mut self,
        _: &mut Request<Full<Bytes>>,
        outcome: &mut Result<Response<Bytes>, E>,
    ) -> Option<Self::Future> {
        if outcome.as_ref().is_ok_and(|response| response.status().is_success()) {
            self.budget.deposit();
            return None;
        }
        let delay = Duration::from_millis(100 << self.made);
        self.made += 1;
        (self.made <= 3 && self.budget.withdraw()).then(|| tokio::time::sleep(delay))
    }

    fn clone_request(&mut self, request: &Request<Full<Bytes>>) -> Option<Request<Full<Bytes>>> {
        Some(request.clone())
    }
}
