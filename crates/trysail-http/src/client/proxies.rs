use std::{env, error::Error, fmt};

use http::{StatusCode, Uri};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use trysail_core::{OneLine, Verdict};

use crate::{
    client::{obstacle::Obstacle, words::explain},
    transport,
};

/// The proxies that are set, and by what.
#[derive(Debug)]
pub(crate) struct Proxies {
    matcher: Matcher,
    is_environment: bool,
}

/// The proxy in front of a server. `{}` names it and what sets it, without its user and password.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    pub(crate) intercept: Intercept,
    variable: Option<&'static str>,
}

impl Proxies {
    pub(crate) fn from_env() -> Self {
        Self { matcher: Matcher::from_env(), is_environment: true }
    }

    pub(crate) fn none() -> Self {
        Self { matcher: Matcher::builder().build(), is_environment: false }
    }

    pub(crate) fn all(proxy: &Uri) -> Self {
        Self { matcher: Matcher::builder().all(proxy.to_string()).build(), is_environment: false }
    }

    /// What stands in front of `destination`, if anything does.
    pub(crate) fn before(&self, destination: &Uri) -> Option<Proxy> {
        let intercept = self.matcher.intercept(destination)?;
        let variable = if self.is_environment { variable(destination) } else { None };
        Some(Proxy { intercept, variable })
    }
}

impl Proxy {
    /// It could not be connected to.
    pub(crate) fn unreachable(&self, cause: &(dyn Error + 'static)) -> Obstacle {
        let cause_said = explain(cause).unwrap_or_else(|| OneLine(cause).to_string());
        let words = format!("{self} cannot be reached: {cause_said}; start it, or {}", self.otherwise());
        Obstacle::new(words).judged(transport::verdict(cause))
    }

    /// It hung up.
    pub(crate) fn breaks_off(&self, cause: &(dyn Error + 'static)) -> Obstacle {
        Obstacle::new(format!("{self} broke off: {}", OneLine(cause))).judged(transport::verdict(cause))
    }

    /// What it said is not what a proxy says.
    pub(crate) fn garbles(&self) -> Obstacle {
        Obstacle::new(format!("{self} does not answer as a proxy does: check its address, or {}", self.otherwise()))
    }

    /// It speaks what is not spoken here.
    pub(crate) fn is_foreign(&self) -> Obstacle {
        Obstacle::new(format!("only http and https proxies are supported, and {self} is neither"))
    }

    /// It does not let us through to `destination`, and says so by `status`.
    pub(crate) fn refuses(&self, destination: &Uri, status: StatusCode) -> Obstacle {
        let (to, code) = (destination.host().unwrap_or_default(), status.as_u16());
        if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            let given = if self.intercept.basic_auth().is_some() { "another" } else { "a" };
            let words = format!("{self} wants {given} user and password ({code}): write them into its address");
            return Obstacle::new(words).judged(Verdict::AUTH.neutral());
        }
        if status.is_server_error() || PASSING.contains(&status) {
            return Obstacle::new(format!("{self} cannot reach {to} ({code})")).judged(Verdict::TRANSIENT);
        }
        let otherwise = self.otherwise();
        Obstacle::new(format!("{self} does not connect to {to} ({code}): have that allowed, or {otherwise}"))
    }

    fn otherwise(&self) -> String {
        match self.variable {
            Some(variable) => format!("change or unset {variable}; NO_PROXY lists the hosts that need none"),
            None => "connect without it".to_owned(),
        }
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uri = self.intercept.uri();
        let host = uri.authority().and_then(|authority| authority.as_str().rsplit('@').next());
        write!(f, "the proxy {}://{}", uri.scheme_str().unwrap_or_default(), host.unwrap_or_default())?;
        match self.variable {
            Some(variable) => write!(f, " (from {variable})"),
            None => Ok(()),
        }
    }
}

/// The variable that hyper-util has read: the first one that is set, and that of the scheme before that of all.
fn variable(destination: &Uri) -> Option<&'static str> {
    let own = if destination.scheme_str() == Some("https") { HTTPS } else { HTTP };
    let first = |names: &[&'static str]| names.iter().copied().find(|name| env::var_os(name).is_some());
    let is_filled = |name: &&str| env::var_os(name).is_some_and(|value| !value.is_empty());
    first(own).filter(is_filled).or_else(|| first(ALL))
}

const HTTP: &[&str] = &["HTTP_PROXY", "http_proxy"];
const HTTPS: &[&str] = &["HTTPS_PROXY", "https_proxy"];
const ALL: &[&str] = &["ALL_PROXY", "all_proxy"];
/// What passes, of the statuses that speak of the request.
const PASSING: &[StatusCode] = &[StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
