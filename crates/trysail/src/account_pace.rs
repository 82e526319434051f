use std::{
    hash::RandomState,
    sync::{Arc, OnceLock},
};

use http::Request;
use trysail_core::{Make, Registry, Select};
use trysail_throttle::{Pace, Paces};

/// The pace of a [`Preset`](crate::Preset), and one of its own for each other credential that requests carry themselves: what
/// one account is told is not taken for another.
///
/// The preset's own is that of typed calls with the key of their endpoint; of plain HTTP requests, of those with the credential
/// that is seen first, which most services have alone. The others are set as that is when they are seen first, and are at
/// most 1,000.
#[derive(Clone, Debug)]
pub struct AccountPace {
    pub(crate) pace: Pace,
    others: Paces<u64, Like>,
    first: Arc<OnceLock<Option<u64>>>,
    key: Arc<RandomState>,
}

/// Makes paces that are set alike.
#[derive(Clone, Debug)]
struct Like(Pace);

impl AccountPace {
    pub(crate) fn new(pace: Pace) -> Self {
        let others = Registry::new(MOST, Like(pace.clone()));
        Self { pace, others, first: Arc::default(), key: Arc::default() }
    }
}

impl Make<u64, Pace> for Like {
    fn make(&self, _: &u64) -> Pace {
        // In a store the name of the first one would be wrong for it.
        Pace::new(self.0.settings())
    }
}

impl<Req: MayCarry> Select<Req, Pace> for AccountPace {
    type Selection = Option<Pace>;

    #[inline]
    fn select(&self, request: &Req) -> Option<Pace> {
        let credential = request.credential(&self.key);
        let own = if Req::HAS_ENDPOINT { None } else { *self.first.get_or_init(|| credential) };
        (credential != own).then(|| self.others.get(&credential.unwrap_or_default()))
    }

    #[inline]
    fn selected<'a>(&'a self, other: &'a Option<Pace>) -> Option<&'a Pace> {
        Some(other.as_ref().unwrap_or(&self.pace))
    }
}

/// A request that may carry a credential itself.
pub(crate) trait MayCarry {
    /// Whether those that carry none have that of an endpoint.
    const HAS_ENDPOINT: bool;

    /// What `key` makes of it.
    fn credential(&self, key: &RandomState) -> Option<u64>;
}

impl<B> MayCarry for Request<B> {
    const HAS_ENDPOINT: bool = false;

    fn credential(&self, key: &RandomState) -> Option<u64> {
        let parameters = self.uri().query().into_iter().flat_map(|query| query.split('&'));
        let parameters = parameters.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        trysail_http::credential(self.headers().iter(), parameters, key)
    }
}

#[cfg(feature = "embeddings")]
impl MayCarry for trysail_embeddings::EmbedRequest {
    const HAS_ENDPOINT: bool = true;

    #[inline]
    fn credential(&self, key: &RandomState) -> Option<u64> {
        self.credential(key)
    }
}

#[cfg(feature = "embeddings")]
impl MayCarry for trysail_embeddings::RerankRequest {
    const HAS_ENDPOINT: bool = true;

    #[inline]
    fn credential(&self, key: &RandomState) -> Option<u64> {
        self.credential(key)
    }
}

const MOST: usize = 1_000;
