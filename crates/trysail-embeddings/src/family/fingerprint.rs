use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{EmbedError, Family, family::check::FamilyCheck, validate::Flaw};

/// A text, and its vector in a family: how a server is known to be of it, without asking another.
///
/// It is taken once ([`Family::fingerprint`]) and stored, by serde, so that it is there when the server is dead from which
/// it was taken. Clones share it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Fingerprint {
    stored: Arc<Stored>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Stored {
    family: Family,
    probe: String,
    vector: Vec<f32>,
}

impl Fingerprint {
    pub(super) fn new(family: Family, probe: String, vector: Vec<f32>) -> Self {
        Self { stored: Arc::new(Stored { family, probe, vector }) }
    }

    /// The family whose it is.
    pub fn family(&self) -> &Family {
        &self.stored.family
    }

    /// The text.
    pub fn probe(&self) -> &str {
        &self.stored.probe
    }

    /// Asks `member` for its vector of the text: whether the cosine of both is at least 0.999.
    ///
    /// The error of one that is of another family is malformed, and not to be repeated.
    pub fn check<S>(&self, member: S) -> FamilyCheck<S>
    where
        S: tower_service::Service<crate::EmbedRequest>,
    {
        FamilyCheck::new(member, self.family().request(self.probe()), self.clone())
    }

    pub(super) fn compare(&self, answer: &crate::EmbedResponse) -> Result<(), EmbedError> {
        let vector = self.family().vector(answer)?;
        let likeness = cosine(&self.stored.vector, vector);
        // What is no number is not like it either.
        if likeness >= LEAST {
            return Ok(());
        }
        Err(Flaw::OtherFamily { thousandths: (likeness * 1_000.0) as i16 }.into())
    }
}

/// Without the text, which is an input as any other.
impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fingerprint").field("family", self.family()).finish_non_exhaustive()
    }
}

impl TryFrom<Stored> for Fingerprint {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        if stored.probe.is_empty() {
            return Err("the probe text is empty");
        }
        if stored.vector.len() != stored.family.dimensions {
            return Err("the vector is not as long as those of its family");
        }
        if !stored.vector.iter().all(|value| value.is_finite()) {
            return Err("the vector holds a value that is no number");
        }
        if stored.vector.iter().all(|value| *value == 0.0) {
            return Err("the vector is zero, or empty");
        }
        Ok(Self { stored: Arc::new(stored) })
    }
}

impl From<Fingerprint> for Stored {
    fn from(fingerprint: Fingerprint) -> Self {
        Arc::unwrap_or_clone(fingerprint.stored)
    }
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    dot(a, b) / (dot(a, a).sqrt() * dot(b, b).sqrt())
}

/// Two servers of one model, on other hardware or in another precision, stay well above it.
const LEAST: f64 = 0.999;
