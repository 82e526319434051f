use std::{error::Error, fmt};

use http::{HeaderValue, Uri};
use trysail_http::has_broken_port;

use crate::api::{self, Api};

/// Where an embedding server listens, and what it wants to see.
///
/// `Debug` does not show the key.
#[derive(Clone)]
pub struct Endpoint {
    pub(crate) uri: Uri,
    pub(crate) api: &'static Api,
    /// The key, as it is sent.
    pub(crate) sent: Option<HeaderValue>,
    key: Option<String>,
}

/// A base URL or a key that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidEndpoint {
    problem: String,
}

impl Endpoint {
    /// An OpenAI-compatible server at `base`, such as `http://localhost:8080/v1`.
    ///
    /// # Errors
    ///
    /// `base` must be an absolute `http` or `https` URL without user, query or fragment.
    pub fn openai(base: &str) -> Result<Self, InvalidEndpoint> {
        Self::of(&api::OPENAI, base, "/embeddings")
    }

    /// The own interface of Text Embeddings Inference at `base`, such as `http://localhost:8080`. It has no word for a
    /// model, so that of a request is not sent.
    ///
    /// # Errors
    ///
    /// As for [`openai`](Self::openai).
    pub fn tei(base: &str) -> Result<Self, InvalidEndpoint> {
        Self::of(&api::TEI, base, "/embed")
    }

    /// Ollama's own interface at `base`, such as `http://localhost:11434`. A text that is too long is an error, where
    /// Ollama would cut it unless told otherwise.
    ///
    /// # Errors
    ///
    /// As for [`openai`](Self::openai).
    pub fn ollama(base: &str) -> Result<Self, InvalidEndpoint> {
        Self::of(&api::OLLAMA, base, "/api/embed")
    }

    /// Cohere's second interface at `base`, such as `https://api.cohere.com`. The texts are documents to be searched;
    /// one that is too long is an error.
    ///
    /// # Errors
    ///
    /// As for [`openai`](Self::openai).
    pub fn cohere(base: &str) -> Result<Self, InvalidEndpoint> {
        Self::of(&api::COHERE, base, "/v2/embed")
    }

    /// A deployment of Azure OpenAI at `base`, such as `https://name.openai.azure.com`, asked by a `version` of its
    /// interface, such as `2024-10-21`.
    ///
    /// # Errors
    ///
    /// As for [`openai`](Self::openai); `deployment` and `version` hold letters, digits, `-`, `_` and `.` only.
    pub fn azure(base: &str, deployment: &str, version: &str) -> Result<Self, InvalidEndpoint> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        for (name, value) in [("deployment", deployment), ("api version", version)] {
            if value.is_empty() || !value.chars().all(plain) || value.chars().all(|c| c == '.') {
                let problem = format!("the {name} holds something else than letters, digits, `-`, `_` and `.`");
                return Err(InvalidEndpoint { problem });
            }
        }
        let path = format!("/openai/deployments/{deployment}/embeddings?api-version={version}");
        Self::of(&api::AZURE, base, &path)
    }

    fn of(api: &'static Api, base: &str, path: &str) -> Result<Self, InvalidEndpoint> {
        let invalid =
            |what: &str| InvalidEndpoint { problem: format!("the base URL {what}: write it like {}", api.example) };
        let uri: Uri = base.trim().parse().map_err(|_| match base.contains("://") {
            true => invalid("is no URL"),
            false => invalid("lacks http:// or https://"),
        })?;
        let host = uri.authority().ok_or_else(|| invalid("has no host"))?;
        if host.as_str().contains('@') {
            return Err(invalid("holds a user or password, which would end up in logs; use a key"));
        }
        if host.host().is_empty() {
            return Err(invalid("has no host"));
        }
        if has_broken_port(&uri) {
            return Err(invalid("has a port that is none"));
        }
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(invalid("is neither http nor https"));
        }
        if uri.query().is_some() || base.contains('#') {
            return Err(invalid("has a query or a fragment"));
        }
        let base = uri.path().trim_end_matches('/');
        let path = format!("{}{path}", base.strip_suffix(path).unwrap_or(base));
        let uri = Uri::builder()
            .scheme(uri.scheme_str().unwrap_or_default())
            .authority(host.as_str())
            .path_and_query(path)
            .build()
            .map_err(|_| invalid("is no URL"))?;
        Ok(Self { uri, api, sent: None, key: None })
    }

    /// The key to send, as a bearer token or as the server wants it; it goes to this origin and nowhere else.
    ///
    /// # Errors
    ///
    /// A key is visible ASCII.
    pub fn key(self, key: &str) -> Result<Self, InvalidEndpoint> {
        let key = key.trim();
        let mut sent = HeaderValue::from_str(&format!("{}{key}", self.api.key.1))
            .ok()
            .filter(|_| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic()))
            .ok_or_else(|| InvalidEndpoint { problem: "the key holds something else than visible ASCII".to_owned() })?;
        sent.set_sensitive(true);
        Ok(Self { sent: Some(sent), key: Some(key.to_owned()), ..self })
    }

    /// The URL that requests go to.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// `text` without the key, should a server have echoed it.
    pub(crate) fn redact(&self, text: &str) -> String {
        self.key.as_ref().map_or_else(|| text.to_owned(), |key| text.replace(key.as_str(), "***"))
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("uri", &self.uri).field("key", &self.key.is_some()).finish()
    }
}

impl fmt::Display for InvalidEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl Error for InvalidEndpoint {}
