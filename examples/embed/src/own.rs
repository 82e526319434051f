//! Headers, fields and parameters that the arguments add to every request.

use serde_json::Value;
use trysail::{Endpoint, embeddings::InvalidEndpoint};

use crate::args::Args;

/// Names and values, told apart.
pub(crate) struct Own<'a> {
    headers: Vec<(&'a str, &'a str)>,
    fields: Vec<(&'a str, &'a str)>,
    query: Vec<(&'a str, &'a str)>,
}

impl<'a> Own<'a> {
    /// What the arguments say. A value may be a key, so it is not repeated where something is wrong with it.
    pub(crate) fn of(args: &'a Args) -> Result<Self, String> {
        Ok(Self {
            headers: pairs(&args.headers, ':').ok_or("write --header like 'X-Tenant: harbour'")?,
            fields: pairs(&args.fields, '=').ok_or("write --field like truncate=true")?,
            query: pairs(&args.query, '=').ok_or("write --query like api-version=2024-10-21")?,
        })
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.headers.is_empty() && self.fields.is_empty() && self.query.is_empty()
    }

    /// Whether a header is there for a key, by its name.
    pub(crate) fn holds_key(&self) -> bool {
        let mut names = self.headers.iter().map(|(name, _)| name.to_ascii_lowercase());
        names.any(|name| ["auth", "key", "token", "cookie"].iter().any(|word| name.contains(word)))
    }

    pub(crate) fn add_to(&self, mut endpoint: Endpoint) -> Result<Endpoint, InvalidEndpoint> {
        for (name, value) in &self.headers {
            endpoint = endpoint.header(name, value)?;
        }
        for (name, value) in &self.fields {
            endpoint = endpoint.field(name, serde_json::from_str(value).unwrap_or_else(|_| Value::from(*value)))?;
        }
        for (name, value) in &self.query {
            endpoint = endpoint.query(name, value)?;
        }
        Ok(endpoint)
    }
}

fn pairs(texts: &[String], between: char) -> Option<Vec<(&str, &str)>> {
    texts.iter().map(|text| text.split_once(between).map(|(name, value)| (name.trim(), value))).collect()
}
