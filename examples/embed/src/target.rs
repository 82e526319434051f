//! Which server is asked: the one given, or the one inside.

use std::{env, io, net::IpAddr};

use clap::ValueEnum;
use http::{Uri, uri::Scheme};
use trysail::Endpoint;
use trysail_testkit::{
    EmbeddingServer, Plan,
    server::{MODEL, Running, Stats},
};

use crate::{api::Api, args::Args, own::Own};

/// A server that is known to be worth a try.
pub(crate) enum Target {
    Given { endpoint: Endpoint, keyed: bool, exposed: bool, model: String },
    BuiltIn(Plan),
}

/// A server that can be asked.
pub(crate) struct Reached {
    pub(crate) endpoint: Endpoint,
    /// Whether a key is sent.
    pub(crate) keyed: bool,
    pub(crate) model: String,
    /// It lives as long as this.
    server: Option<Running>,
}

impl Target {
    /// What the arguments and the environment say; else it says what is wrong with them.
    pub(crate) fn of(args: &Args) -> Result<Self, String> {
        let key = key(args.api_key_env.as_deref())?;
        let named = env::var("OPENAI_BASE_URL").ok().filter(|url| !url.trim().is_empty());
        let url = match (&args.url, named) {
            (Some(url), _) => Some((url.clone(), "--url")),
            (None, Some(_)) if args.faults.is_some() => {
                return Err("--faults is for the built-in server, but OPENAI_BASE_URL names another; unset it".into());
            }
            (None, Some(url)) => Some((url, "OPENAI_BASE_URL")),
            (None, None) => None,
        };
        let name = args.api.to_possible_value().map(|api| api.get_name().to_owned()).unwrap_or_default();
        let own = Own::of(args)?;
        let Some((url, origin)) = url else {
            if !own.is_empty() {
                return Err("--header, --field and --query are for a server at --url".into());
            }
            if args.api != Api::Openai {
                return Err(format!("--api {name} needs --url: the built-in server speaks openai only"));
            }
            return Ok(Self::BuiltIn(args.faults.clone().unwrap_or_default().seeded(args.seed)));
        };
        let model = args.model.as_deref().or(args.api.usual_model());
        let model = model.ok_or_else(|| format!("--api {name} needs --model, a name that the server knows"))?;
        let endpoint = args.api.endpoint(&url, model, &args.api_version);
        let endpoint = endpoint.map_err(|problem| format!("{origin}: {problem}"))?;
        let keyed = key.is_some() || own.holds_key();
        let exposed = keyed && is_exposed(&url);
        let endpoint = match key {
            Some(key) => endpoint.key(&key).map_err(|problem| problem.to_string())?,
            None => endpoint,
        };
        let endpoint = own.add_to(endpoint).map_err(|problem| problem.to_string())?;
        Ok(Self::Given { endpoint, keyed, exposed, model: model.to_owned() })
    }

    pub(crate) const fn is_built_in(&self) -> bool {
        matches!(self, Self::BuiltIn(_))
    }

    /// Starts the server, if it is the one inside.
    pub(crate) async fn reach(self, model: Option<String>) -> io::Result<Reached> {
        match self {
            Self::Given { endpoint, keyed, exposed, model } => {
                if exposed {
                    tracing::warn!("the key is sent over plain http, for all on the way to read; use https");
                }
                Ok(Reached { endpoint, keyed, model, server: None })
            }
            Self::BuiltIn(plan) => {
                let server = EmbeddingServer::new().faults(plan).bind().await?;
                let endpoint = Endpoint::openai(&server.url()).map_err(io::Error::other)?;
                let model = model.unwrap_or_else(|| MODEL.to_owned());
                Ok(Reached { endpoint, keyed: false, model, server: Some(server) })
            }
        }
    }
}

impl Reached {
    /// What the server inside has seen.
    pub(crate) fn stats(&self) -> Option<Stats> {
        self.server.as_ref().map(Running::stats)
    }

    pub(crate) const fn is_built_in(&self) -> bool {
        self.server.is_some()
    }
}

/// The key in the variable `named`, which must be there, or in the usual one. What somebody has mistaken for the name
/// of a variable may be the key itself, so it is not repeated.
fn key(named: Option<&str>) -> Result<Option<String>, String> {
    let key = match env::var(named.unwrap_or(USUAL)) {
        Ok(key) => Some(key).filter(|key| !key.trim().is_empty()),
        Err(env::VarError::NotPresent) => None,
        Err(env::VarError::NotUnicode(_)) => return Err("the API key holds something else than visible ASCII".into()),
    };
    match (key, named) {
        (None, Some(_)) => Err("--api-key-env names an environment variable that is not set; give its name, not the \
            key, and export it"
            .into()),
        (key, _) => Ok(key),
    }
}

/// Whether what is sent to `url` can be read on the way: plain HTTP that leaves this machine and its own network.
fn is_exposed(url: &str) -> bool {
    let Ok(url) = url.parse::<Uri>() else { return false };
    let host = url.host().unwrap_or_default().trim_matches(['[', ']']).trim_end_matches('.');
    let far = match host.parse().map(|address: IpAddr| address.to_canonical()) {
        Ok(address) if address.is_loopback() || address.is_unspecified() => false,
        Ok(IpAddr::V4(address)) => !(address.is_private() || address.is_link_local()),
        Ok(IpAddr::V6(address)) => !(address.is_unique_local() || address.is_unicast_link_local()),
        Err(_) => host.contains('.') && ![".local", ".internal", ".localhost"].iter().any(|own| host.ends_with(own)),
    };
    url.scheme() == Some(&Scheme::HTTP) && far
}

const USUAL: &str = "OPENAI_API_KEY";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_to_strangers_is_exposed() {
        for url in ["http://api.openai.com/v1", "http://8.8.8.8:80/", "http://[2001:db8::1]/v1"] {
            assert!(is_exposed(url), "{url}");
        }
        for url in [
            "https://api.openai.com/v1",
            "http://localhost:8080",
            "http://localhost./",
            "http://0.0.0.0:80/",
            "http://[::ffff:127.0.0.1]/",
            "http://tei:8080",
            "http://127.0.0.1:1",
            "http://[::1]:80/",
            "http://192.168.1.7/v1",
            "http://gpu.local/",
            "http://tei.svc.cluster.internal/",
        ] {
            assert!(!is_exposed(url), "{url}");
        }
    }
}
