//! What servers speak.

use clap::ValueEnum;
use trysail::{Endpoint, embeddings::InvalidEndpoint};

/// What a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Api {
    /// OpenAI's dialect, which most servers know
    Openai,
    /// Text Embeddings Inference (/embed)
    Tei,
    /// Ollama (/api/embed)
    Ollama,
    /// Cohere (/v2/embed)
    Cohere,
    /// Azure OpenAI; --model names the deployment
    Azure,
}

impl Api {
    /// Where such a server at `url` is asked for `model`, by a `version` of the interface where there are several.
    pub(crate) fn endpoint(self, url: &str, model: &str, version: &str) -> Result<Endpoint, InvalidEndpoint> {
        match self {
            Self::Openai => Endpoint::openai(url),
            Self::Tei => Endpoint::tei(url),
            Self::Ollama => Endpoint::ollama(url),
            Self::Cohere => Endpoint::cohere(url),
            Self::Azure => Endpoint::azure(url, model, version),
        }
    }

    /// The model of a request that names none; `None` if it must.
    pub(crate) const fn usual_model(self) -> Option<&'static str> {
        match self {
            Self::Openai => Some("text-embedding-3-small"),
            Self::Tei => Some(""),
            Self::Ollama | Self::Cohere | Self::Azure => None,
        }
    }
}
