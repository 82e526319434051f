//! What servers want to see and how they answer, as tables.

use http::{HeaderName, header};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;

/// A dialect of embedding servers.
#[derive(Debug)]
pub(crate) struct Api {
    /// A base URL as it should be.
    pub(crate) example: &'static str,
    /// Where the key goes, and what stands before it.
    pub(crate) key: (HeaderName, &'static str),
    /// The bodies to ask with; each is for servers that do not take how the one before asks for the encoding.
    pub(crate) forms: &'static [Form],
    /// The fields on the way to the list of vectors.
    pub(crate) vectors: &'static [&'static str],
    /// The field that holds the count of tokens, or what holds it.
    pub(crate) tokens: &'static str,
}

/// The body of a request.
#[derive(Debug)]
pub(crate) struct Form {
    /// Which of all bodies it is, where a request keeps them.
    pub(crate) slot: usize,
    pub(crate) model: Option<&'static str>,
    pub(crate) inputs: &'static str,
    pub(crate) dimensions: &'static str,
    pub(crate) fixed: &'static [(&'static str, Fixed)],
}

/// What every request says.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Fixed {
    Flag(bool),
    Word(&'static str),
    Words(&'static [&'static str]),
}

impl Api {
    /// The first of its forms to ask with.
    pub(crate) fn first(&self, floats: bool) -> usize {
        self.forms.iter().take_while(|form| floats && form.encoding() == Some("base64")).count()
    }
}

impl Form {
    const OPENAI: Self = Self {
        slot: 0,
        model: Some("model"),
        inputs: "input",
        dimensions: "dimensions",
        fixed: &[("encoding_format", Fixed::Word("base64"))],
    };
    const OPENAI_FLOAT: Self = Self { slot: 1, fixed: &[("encoding_format", Fixed::Word("float"))], ..Self::OPENAI };
    const OPENAI_PLAIN: Self = Self { slot: 5, fixed: &[], ..Self::OPENAI };
    // It serves one model, and has no name for it.
    const TEI: Self = Self { slot: 2, model: None, inputs: "inputs", fixed: &[], ..Self::OPENAI };
    // Else it cuts what is too long, and says nothing.
    const OLLAMA: Self = Self { slot: 3, fixed: &[("truncate", Fixed::Flag(false))], ..Self::OPENAI };
    const COHERE: Self = Self {
        slot: 4,
        inputs: "texts",
        dimensions: "output_dimension",
        fixed: &[
            ("input_type", Fixed::Word("search_document")),
            ("embedding_types", Fixed::Words(&["float"])),
            ("truncate", Fixed::Word("NONE")),
        ],
        ..Self::OPENAI
    };

    // It cuts what is too long, as Ollama does, and knows no word for numbers.
    const VOYAGE: Self =
        Self { slot: 24, dimensions: "output_dimension", fixed: &[("truncation", Fixed::Flag(false))], ..Self::OPENAI };
    const VOYAGE_BASE64: Self = Self {
        slot: 25,
        fixed: &[("encoding_format", Fixed::Word("base64")), ("truncation", Fixed::Flag(false))],
        ..Self::VOYAGE
    };

    /// What it says of how vectors are encoded, if that is one of several things to say.
    pub(crate) fn encoding(&self) -> Option<&'static str> {
        self.fixed.iter().find_map(|(name, value)| match value {
            Fixed::Word(word) if *name == "encoding_format" => Some(*word),
            _ => None,
        })
    }

    /// The body that asks `model` for vectors of `inputs`, and says what `own` does.
    pub(crate) fn fill<'a>(
        &self,
        model: &str,
        inputs: &impl Serialize,
        dimensions: Option<usize>,
        own: impl Iterator<Item = (&'a str, &'a Value)> + Clone,
    ) -> Vec<u8> {
        let filled = Filled { form: self, model, inputs, dimensions, own };
        serde_json::to_vec(&filled).expect("strings, numbers and JSON can be written as JSON")
    }
}

struct Filled<'a, I, O> {
    form: &'a Form,
    model: &'a str,
    inputs: &'a I,
    dimensions: Option<usize>,
    own: O,
}

impl<'v, I: Serialize, O: Iterator<Item = (&'v str, &'v Value)> + Clone> Serialize for Filled<'_, I, O> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = serializer.serialize_map(None)?;
        if let Some(name) = self.form.model {
            body.serialize_entry(name, self.model)?;
        }
        body.serialize_entry(self.form.inputs, self.inputs)?;
        for (name, value) in self.form.fixed {
            if self.own.clone().all(|(own, _)| own != *name) {
                body.serialize_entry(name, value)?;
            }
        }
        if let Some(dimensions) = self.dimensions {
            body.serialize_entry(self.form.dimensions, &dimensions)?;
        }
        for (name, value) in self.own.clone() {
            // The answer is checked against the dimensions that were asked for.
            if self.dimensions.is_none() || name != self.form.dimensions {
                body.serialize_entry(name, value)?;
            }
        }
        body.end()
    }
}

const BEARER: (HeaderName, &str) = (header::AUTHORIZATION, "Bearer ");

const OPENAI_LIKE: Api = Api {
    example: "https://api.openai.com/v1",
    key: BEARER,
    forms: &[Form::OPENAI, Form::OPENAI_FLOAT, Form::OPENAI_PLAIN],
    vectors: &["data"],
    tokens: "usage",
};

pub(crate) static OPENAI: Api = OPENAI_LIKE;

pub(crate) static AZURE: Api =
    Api { example: "https://name.openai.azure.com", key: (HeaderName::from_static("api-key"), ""), ..OPENAI_LIKE };

pub(crate) static VOYAGE: Api =
    Api { example: "https://api.voyageai.com/v1", forms: &[Form::VOYAGE_BASE64, Form::VOYAGE], ..OPENAI_LIKE };

pub(crate) static TEI: Api =
    Api { example: "http://localhost:8080", key: BEARER, forms: &[Form::TEI], vectors: &[], tokens: "" };

pub(crate) static OLLAMA: Api = Api {
    example: "http://localhost:11434",
    key: BEARER,
    forms: &[Form::OLLAMA],
    vectors: &["embeddings"],
    tokens: "prompt_eval_count",
};

pub(crate) static COHERE: Api = Api {
    example: "https://api.cohere.com",
    key: BEARER,
    forms: &[Form::COHERE],
    vectors: &["embeddings", "float"],
    tokens: "meta",
};
