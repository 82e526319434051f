use std::{collections::BTreeMap, fmt};

use serde::Deserialize;
use serde_json::Value;
use trysail::{Endpoint, embeddings::InvalidEndpoint};

/// The servers of a data set.
#[derive(Clone, Debug, Deserialize)]
pub struct DataSet {
    /// Has its dense vectors.
    pub dense: Server,
    /// Has its sparse vectors.
    pub sparse: Server,
    /// Scores its texts.
    pub rerank: Server,
}

/// A server as a data set wants it asked. Data sets that say the same share one circuit and one budget.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Hash)]
pub struct Server {
    /// How it wants to be spoken to.
    pub kind: Kind,
    /// Its base URL.
    pub base: String,
    /// Which of its models.
    #[serde(default)]
    pub model: String,
    /// Whose account.
    pub key: Option<Key>,
    /// Parameters of the URL, such as `api-version`.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// Fields of the body, such as `truncate`.
    #[serde(default)]
    pub fields: BTreeMap<String, Value>,
}

/// A family of servers.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "they are their names")]
pub enum Kind {
    Openai,
    Tei,
    Cohere,
    Voyage,
}

/// An API key, which nobody sees.
#[derive(Clone, Deserialize, PartialEq, Eq, Hash)]
#[serde(transparent)]
pub struct Key(String);

impl Server {
    /// Where it is asked, and with what.
    pub(crate) fn endpoint(&self) -> Result<Endpoint, InvalidEndpoint> {
        let mut endpoint = match self.kind {
            Kind::Openai => Endpoint::openai(&self.base),
            Kind::Tei => Endpoint::tei(&self.base),
            Kind::Cohere => Endpoint::cohere(&self.base),
            Kind::Voyage => Endpoint::voyage(&self.base),
        }?;
        if let Some(Key(key)) = &self.key {
            endpoint = endpoint.key(key)?.header("api-key", key)?;
        }
        for (name, value) in &self.query {
            endpoint = endpoint.query(name, value)?;
        }
        self.fields.iter().try_fold(endpoint, |endpoint, (name, value)| endpoint.field(name, value))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
