mod check;
mod fingerprint;

use std::fmt;

use serde::{Deserialize, Serialize};
use tower_service::Service;

pub use self::{check::FamilyCheck, fingerprint::Fingerprint};
use crate::{EmbedError, EmbedRequest, EmbedResponse, batches::oneshot::Oneshot, validate::Flaw};

/// Vectors that can be compared with each other: those of one model, in one revision, of one length.
///
/// It is declared, for nobody can ask a server for it; a [`Fingerprint`] shows whether a server keeps to it. Two servers
/// whose families are equal may stand in for each other.
///
/// ```
/// # use trysail_embeddings::Family;
/// let family = Family::new("bge-m3", 1024).revision("5617a9f");
/// assert_eq!(family.to_string(), "bge-m3@5617a9f, 1024 dimensions");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Family {
    model: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revision: Option<String>,
    dimensions: usize,
    #[serde(default, skip_serializing_if = "is_false")]
    shortened: bool,
}

impl Family {
    /// Vectors of `model` of so many dimensions.
    pub fn new(model: impl Into<String>, dimensions: usize) -> Self {
        Self { model: model.into(), revision: None, dimensions, shortened: false }
    }

    /// Of this revision: a tag, a commit, a quantisation; whatever changes the numbers.
    pub fn revision(self, revision: impl Into<String>) -> Self {
        Self { revision: Some(revision.into()), ..self }
    }

    /// The model has more dimensions, and requests ask for fewer ([`EmbedRequest::dimensions`]).
    pub fn shortened(self) -> Self {
        Self { shortened: true, ..self }
    }

    /// The model that is asked.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// How long a vector is.
    pub const fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Asks a server that is known to be of this family for its vector of `probe`, once, to be stored.
    ///
    /// Any text of some words will do; it is no secret.
    ///
    /// # Errors
    ///
    /// What the server says, or that its vector has another length.
    pub async fn fingerprint<S>(&self, probe: impl Into<String>, service: S) -> Result<Fingerprint, S::Error>
    where
        S: Service<EmbedRequest, Response = EmbedResponse, Error: From<EmbedError>>,
    {
        let probe = probe.into();
        let answer = Oneshot::new(service, self.request(&probe)).await?;
        let vector = self.vector(&answer)?;
        Ok(Fingerprint::new(self.clone(), probe, vector.to_vec()))
    }

    fn request(&self, probe: &str) -> EmbedRequest {
        let request = EmbedRequest::new(self.model.as_str(), [probe]);
        if self.shortened { request.dimensions(self.dimensions) } else { request }
    }

    /// The vector in the answer for one text, if it is of the family's length.
    fn vector<'a>(&self, answer: &'a EmbedResponse) -> Result<&'a [f32], EmbedError> {
        let expected = self.dimensions;
        let vector = answer.vectors().next().unwrap_or_default();
        match vector.len() {
            found if found == expected => Ok(vector),
            found => Err(Flaw::Dimensions { expected, found }.into()),
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.model)?;
        if let Some(revision) = &self.revision {
            write!(f, "@{revision}")?;
        }
        write!(f, ", {} dimensions", self.dimensions)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks it so")]
const fn is_false(value: &bool) -> bool {
    !*value
}
