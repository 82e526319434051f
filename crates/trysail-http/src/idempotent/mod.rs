mod or_route;

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, LazyLock, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use http::{HeaderName, HeaderValue, Method, Request, Uri};
use trysail_core::Replay;

pub use self::or_route::OrRoute;
use crate::{
    Deadline,
    secret::{is_secret_header, is_secret_parameter},
};

/// Says which requests may be sent twice, and marks those that may.
///
/// As a [`Replay`] it repeats idempotent methods, requests whose extensions hold `Idempotent`, and those that carry an
/// `Idempotency-Key` ([`keyed`](Self::keyed)). A `POST` is repeated if it is one of these, or where
/// [`or_route`](Self::or_route) says so; the `Idempotent` of `trysail` and trysail-providers knows the routes of embedding
/// servers. It sends `x-retry-count: n`, 0 on the first attempt; a request that already carries this header belongs to an
/// outer retry and is not repeated here, unless its mark is taken off ([`unmarked`](Self::unmarked)). The time left is that
/// of the request's [`Deadline`].
///
/// To another server ([`divert`](Replay::divert)) goes what changes nothing (`GET`, marked requests, those routes), whoever
/// repeats it, and only without credentials: the key of a server is added below, by each member's own stack.
///
/// ```
/// # use trysail_core::Replay;
/// # use trysail_http::Idempotent;
/// let mut request = http::Request::post("https://example.com/v1/chat/completions").body("{}")?;
/// assert!(Idempotent.replay(&request).is_none());
///
/// request.extensions_mut().insert(Idempotent);
/// assert!(Idempotent.replay(&request).is_some());
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Idempotent;

impl Idempotent {
    /// Repeats also what `is_pure` says of its method and address: that it computes and changes nothing.
    ///
    /// ```
    /// # use http::{Method, Request, Uri};
    /// # use trysail_core::Replay;
    /// # use trysail_http::Idempotent;
    /// let replay = Idempotent.or_route(|method: &Method, uri: &Uri| method == Method::POST && uri.path() == "/search");
    /// assert!(replay.replay(&Request::post("/search").body("{}")?).is_some());
    /// assert!(replay.replay(&Request::post("/orders").body("{}")?).is_none());
    /// # Ok::<(), http::Error>(())
    /// ```
    pub const fn or_route<F>(self, is_pure: F) -> OrRoute<F>
    where
        F: Fn(&Method, &Uri) -> bool,
    {
        OrRoute::new(is_pure)
    }

    /// Gives `request` an `Idempotency-Key` of its own, unless it has one, so that its server acts on it once however
    /// often it comes.
    ///
    /// It belongs above the retry, since all attempts carry what the call began with: tower's
    /// `.map_request(Idempotent::keyed)`, and only for servers that know the header. Below a typed layer whose requests
    /// hold a [`CallKey`], all attempts of a call get that one. A key is 128 bits, unique and not secret.
    ///
    /// ```
    /// # use trysail_core::Replay;
    /// # use trysail_http::Idempotent;
    /// let request = Idempotent::keyed(http::Request::post("https://example.com/v1/batches").body("{}")?);
    /// let copy = Idempotent.replay(&request).expect("a request with a key may be repeated");
    /// assert_eq!(copy.headers()["idempotency-key"], request.headers()["idempotency-key"]);
    /// # Ok::<(), http::Error>(())
    /// ```
    pub fn keyed<B>(mut request: Request<B>) -> Request<B> {
        if !has_key(&request) {
            let key = request.extensions().get().map_or_else(fresh, CallKey::value);
            request.headers_mut().insert(&IDEMPOTENCY_KEY, key);
        }
        request
    }

    /// Takes the mark of an outer retry off: for a proxy that repeats requests itself, whoever sent them.
    ///
    /// It then has to say when it has given up ([`respond`](crate::respond)), or both sides multiply the attempts.
    ///
    /// ```
    /// # use trysail_core::Replay;
    /// # use trysail_http::Idempotent;
    /// let request = http::Request::put("/v1/files/1").header("x-retry-count", "0").body("{}")?;
    /// assert!(Idempotent.replay(&request).is_none());
    /// assert!(Idempotent.replay(&Idempotent::unmarked(request)).is_some());
    /// # Ok::<(), http::Error>(())
    /// ```
    pub fn unmarked<B>(mut request: Request<B>) -> Request<B> {
        request.headers_mut().remove(&RETRY_COUNT);
        request
    }
}

/// A place for the `Idempotency-Key` of a call, which all copies share; lives in the extensions of its requests.
///
/// For layers that make a new HTTP request for each attempt. [`Idempotent::keyed`] reads it.
#[derive(Clone, Debug, Default)]
pub struct CallKey(Arc<OnceLock<HeaderValue>>);

impl CallKey {
    /// The key, made when it is first asked for.
    pub fn value(&self) -> HeaderValue {
        self.0.get_or_init(fresh).clone()
    }
}

#[diagnostic::do_not_recommend]
impl<B: Clone> Replay<Request<B>> for Idempotent {
    fn replay(&self, request: &Request<B>) -> Option<Request<B>> {
        (is_ours(request) && repeatable(request)).then(|| request.clone())
    }

    fn divert(&self, request: &Request<B>) -> Option<Request<B>> {
        divertible(request, false).then(|| request.clone())
    }

    fn mark(&self, request: &mut Request<B>, attempt: u32) {
        let count = match attempt {
            // An outer count stays: the server wants to know how often it sees this call.
            0 | 1 if !is_ours(request) => return,
            0 | 1 => NO_RETRY,
            _ => (attempt - 1).into(),
        };
        request.headers_mut().insert(&RETRY_COUNT, count);
    }

    fn left(&self, request: &Request<B>) -> Option<Duration> {
        Deadline::left_of(request)
    }
}

/// Whether no retry above repeats it.
fn is_ours<B>(request: &Request<B>) -> bool {
    // To look at each is faster than to hash a name that is no standard one.
    !request.headers().keys().any(|name| *name == RETRY_COUNT)
}

fn repeatable<B>(request: &Request<B>) -> bool {
    request.method().is_idempotent() || request.extensions().get::<Idempotent>().is_some() || has_key(request)
}

/// Whether another server may see it, whoever repeats it.
///
/// An `Idempotency-Key` is no reason: the other server does not know what the first one has done under it.
fn divertible<B>(request: &Request<B>, is_pure: bool) -> bool {
    let harmless = is_pure || request.method().is_safe() || request.extensions().get::<Idempotent>().is_some();
    harmless && !holds_secrets(request)
}

/// Whether it carries what may be meant for one server alone.
fn holds_secrets<B>(request: &Request<B>) -> bool {
    let header = |(name, value): (&HeaderName, &HeaderValue)| value.is_sensitive() || is_secret_header(name);
    let parameter = |pair: &str| is_secret_parameter(pair.split('=').next().unwrap_or_default());
    request.headers().iter().any(header) || request.uri().query().is_some_and(|query| query.split('&').any(parameter))
}

fn has_key<B>(request: &Request<B>) -> bool {
    let key = request.headers().iter().find(|(name, _)| **name == IDEMPOTENCY_KEY);
    key.is_some_and(|(_, key)| !key.is_empty())
}

/// A key that nobody has used: a count, hashed with what the operating system has drawn for this process.
fn fresh() -> HeaderValue {
    static DRAWN: LazyLock<[RandomState; 2]> = LazyLock::new(Default::default);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Relaxed);
    let [high, low] = DRAWN.each_ref().map(|drawn| drawn.hash_one(count));
    HeaderValue::try_from(format!("{high:016x}{low:016x}")).expect("hex digits are visible ASCII")
}

const NO_RETRY: HeaderValue = HeaderValue::from_static("0");
static RETRY_COUNT: HeaderName = HeaderName::from_static("x-retry-count");
static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, thread};

    use super::*;
    use crate::secret::SECRET_HEADERS;

    fn post() -> Request<&'static str> {
        Request::post("https://example.com/v1/batches").body("{}").unwrap()
    }

    fn key(request: &Request<&'static str>) -> String {
        request.headers()[&IDEMPOTENCY_KEY].to_str().unwrap().to_owned()
    }

    #[test]
    fn all_attempts_carry_the_key_that_the_call_began_with() {
        let mut first = Idempotent::keyed(post());
        let spare = Idempotent.replay(&first).unwrap();
        Idempotent.mark(&mut first, 1);
        let mut second = Idempotent.replay(&spare).unwrap();
        Idempotent.mark(&mut second, 2);
        assert_eq!(key(&first), key(&second));
        assert_eq!(second.headers()[&RETRY_COUNT], "1");
    }

    #[test]
    fn the_callers_key_wins_and_makes_any_method_repeatable() {
        for method in [Method::POST, Method::PATCH] {
            let mut request = post();
            *request.method_mut() = method;
            assert!(Idempotent.replay(&request).is_none());
            request.headers_mut().insert(&IDEMPOTENCY_KEY, HeaderValue::from_static("order-17"));
            let request = Idempotent::keyed(request);
            assert_eq!(key(&Idempotent.replay(&request).unwrap()), "order-17");
        }
        let mut empty = post();
        empty.headers_mut().insert(&IDEMPOTENCY_KEY, HeaderValue::from_static(""));
        assert!(Idempotent.replay(&empty).is_none());
        assert!(Idempotent.replay(&Idempotent::keyed(empty)).is_some());
    }

    #[test]
    fn what_changes_nothing_goes_to_another_server_and_credentials_do_not() {
        let request = |method, uri: &str| Request::builder().method(method).uri(uri).body("{}").unwrap();
        let diverts = |request: &Request<&'static str>| Idempotent.divert(request).is_some();
        assert!(diverts(&request(Method::GET, "/v1/models")));
        let mut marked = Idempotent::keyed(request(Method::PUT, "/v1/files/1"));
        assert!(Idempotent.replay(&marked).is_some() && !diverts(&marked), "it may have been done there");
        marked.extensions_mut().insert(Idempotent);
        Idempotent.mark(&mut marked, 1);
        assert!(Idempotent.replay(&marked).is_none() && diverts(&marked), "an outer retry repeats it anyway");
        let pure = Idempotent.or_route(|_: &Method, uri: &Uri| uri.path() == "/embed");
        assert!(pure.divert(&request(Method::POST, "/embed")).is_some());
        assert!(pure.divert(&request(Method::POST, "/orders")).is_none());

        for name in SECRET_HEADERS {
            let mut secret = request(Method::GET, "/v1/models");
            secret.headers_mut().insert(name, HeaderValue::from_static("hunter2"));
            assert!(!diverts(&secret), "{name}");
        }
        let mut secret = HeaderValue::from_static("hunter2");
        secret.set_sensitive(true);
        let mut own = request(Method::GET, "/v1/models");
        own.headers_mut().insert("x-own", secret);
        assert!(!diverts(&own) && pure.divert(&own).is_none());
        assert!(!diverts(&request(Method::GET, "/v1/models?page=2&Key=hunter2")));
        assert!(diverts(&request(Method::GET, "/v1/models?page=2&monkey=1")));
    }

    #[test]
    fn no_two_keys_are_the_same() {
        let threads =
            (0..4).map(|_| thread::spawn(|| (0..10_000).map(|_| key(&Idempotent::keyed(post()))).collect::<Vec<_>>()));
        let keys = threads.collect::<Vec<_>>().into_iter().flat_map(|thread| thread.join().unwrap());
        let keys: HashSet<_> =
            keys.inspect(|key| assert!(key.len() == 32 && key.bytes().all(|b| b.is_ascii_hexdigit()))).collect();
        assert_eq!(keys.len(), 40_000);
        // Both halves, too.
        for half in [0..16, 16..32] {
            assert_eq!(keys.iter().map(|key| &key[half.clone()]).collect::<HashSet<_>>().len(), 40_000);
        }
    }
}
