use std::{env, error::Error, fmt};

use http::{HeaderValue, Uri};
use serde::Serialize;
use trysail_http::has_broken_port;

use crate::{
    InvalidPart,
    api::{self, Api},
    own::{IDEMPOTENCY_KEY, Own},
};

/// Where an embedding server listens, and what it wants to see.
///
/// Headers, fields and parameters of one's own go into every request; the last of a name holds, and one of an
/// [`EmbedRequest`](crate::EmbedRequest) takes its place. `Debug` shows neither their values nor the key.
///
/// ```
/// # use trysail_embeddings::Endpoint;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let key = "sk-test";
/// let endpoint = Endpoint::openai("https://gateway.example.com/v1")?
///     .key(key)? // as `Authorization`…
///     .header("api-key", key)? // …and for those behind it
///     .query("api-version", "2024-10-21")?
///     .field("truncate", true)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Endpoint {
    pub(crate) uri: Uri,
    pub(crate) api: &'static Api,
    /// The key, as it is sent.
    pub(crate) sent: Option<HeaderValue>,
    key: Option<String>,
    pub(crate) own: Own,
}

/// A base URL, a key, or a part of one's own that cannot be used.
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

    /// Voyage at `base`, such as `https://api.voyageai.com/v1`. A text that is too long is an error, where Voyage would cut
    /// it unless told otherwise.
    ///
    /// # Errors
    ///
    /// As for [`openai`](Self::openai).
    pub fn voyage(base: &str) -> Result<Self, InvalidEndpoint> {
        Self::of(&api::VOYAGE, base, "/embeddings")
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
            let none = uri.scheme().is_none();
            return Err(invalid(if none { "lacks http:// or https://" } else { "is neither http nor https" }));
        }
        if uri.query().is_some() || base.contains('#') {
            return Err(invalid("has a query or a fragment"));
        }
        let (path, query) = path.split_at(path.find('?').unwrap_or(path.len()));
        let base = uri.path().trim_end_matches('/');
        // Who writes the path to its end means the slash behind it, too.
        let slash = if base.ends_with(path) && uri.path().ends_with('/') { "/" } else { "" };
        let path = format!("{}{path}{slash}{query}", base.strip_suffix(path).unwrap_or(base));
        if path.len() > MOST_PATH {
            return Err(invalid("is too long"));
        }
        let uri = Uri::builder()
            .scheme(uri.scheme_str().unwrap_or_default())
            .authority(host.as_str())
            .path_and_query(path)
            .build()
            .map_err(|_| invalid("is no URL"))?;
        Ok(Self { uri, api, sent: None, key: None, own: Own::default() })
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

    /// The key in the environment variable `name`, such as `OPENAI_API_KEY`.
    ///
    /// # Errors
    ///
    /// The variable must be set, and hold a key.
    pub fn key_from_env(self, name: &str) -> Result<Self, InvalidEndpoint> {
        let key = env::var_os(name).filter(|key| !key.is_empty());
        let key = key.map(|key| self.key(&key.to_string_lossy())).unwrap_or_else(|| {
            Err(InvalidEndpoint { problem: "it is not set; export it, or give the key itself".to_owned() })
        });
        key.map_err(|InvalidEndpoint { problem }| InvalidEndpoint { problem: format!("{name}: {problem}") })
    }

    /// A header of one's own, such as `api-key` beside the `Authorization` of the key. All are taken for secrets, and go
    /// to this origin and nowhere else.
    ///
    /// # Errors
    ///
    /// It has a name, and a value of visible ASCII. What follows from the URL and the body is not one's own, nor is
    /// `x-retry-count`; an `Idempotency-Key` belongs to a request.
    pub fn header(self, name: &str, value: &str) -> Result<Self, InvalidEndpoint> {
        if name.eq_ignore_ascii_case(IDEMPOTENCY_KEY.as_str()) {
            let problem = "an idempotency key is that of a request: say EmbedRequest::keyed".to_owned();
            return Err(InvalidEndpoint { problem });
        }
        Ok(Self { own: self.own.header(name, value)?, ..self })
    }

    /// A field in the body of every request, such as `truncate` or `user`; it takes the place of what is said by
    /// default, such as Cohere's `input_type`.
    ///
    /// # Errors
    ///
    /// Model, inputs, dimensions, and how vectors are encoded have words of their own, and are no fields. The value must
    /// be one that JSON knows.
    pub fn field(self, name: &str, value: impl Serialize) -> Result<Self, InvalidEndpoint> {
        Ok(Self { own: self.own.field(name, value)?, ..self })
    }

    /// A parameter in the URL of every request, such as `api-version`; it is escaped. URLs end up in logs: a secret is
    /// better off in a header.
    ///
    /// # Errors
    ///
    /// It has a name, and all together are not longer than 8 KiB.
    pub fn query(self, name: &str, value: &str) -> Result<Self, InvalidEndpoint> {
        Ok(Self { own: self.own.query(name, value)?, ..self })
    }

    /// The URL of the server, without parameters of one's own.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// `text` without the secrets, should a server have echoed them.
    pub(crate) fn redact(&self, text: &str) -> String {
        let text = self.key.as_ref().map_or_else(|| text.to_owned(), |key| text.replace(key.as_str(), "***"));
        self.own.redact(text)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("uri", &self.uri)
            .field("key", &self.key.is_some())
            .field("own", &self.own)
            .finish()
    }
}

impl From<InvalidPart> for InvalidEndpoint {
    fn from(part: InvalidPart) -> Self {
        Self { problem: part.problem }
    }
}

impl fmt::Display for InvalidEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl Error for InvalidEndpoint {}

/// Leaves room for the parameters of endpoint and request.
const MOST_PATH: usize = 32 << 10;
