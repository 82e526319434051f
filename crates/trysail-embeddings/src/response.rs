use trysail_core::Allowance;

/// Vectors, one for each input and in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbedResponse {
    pub(crate) values: Vec<f32>,
    pub(crate) dimensions: usize,
    pub(crate) model: Option<String>,
    pub(crate) tokens: Option<u64>,
    pub(crate) allowance: Allowance,
}

impl EmbedResponse {
    /// The vectors; of what a server wrote in digits, each number is the nearest `f32`.
    pub fn vectors(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.dimensions)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len() / self.dimensions
    }

    /// Whether there are none; a server's answer never is.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// How long each of them is.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The model, as the server calls it.
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// How many tokens the server has counted.
    pub fn tokens(&self) -> Option<u64> {
        self.tokens
    }

    /// What the server says is left of its limits; of several answers together, nothing.
    pub const fn allowance(&self) -> Allowance {
        self.allowance
    }

    pub(crate) fn leaving(self, allowance: Allowance) -> Self {
        Self { allowance, ..self }
    }

    pub(crate) const fn none() -> Self {
        Self { values: Vec::new(), dimensions: 1, model: None, tokens: Some(0), allowance: NO_ALLOWANCE }
    }

    /// Takes the vectors of `next`, which must be as long, behind its own.
    pub(crate) fn append(&mut self, mut next: Self) {
        self.values.append(&mut next.values);
        self.dimensions = next.dimensions;
        self.model = self.model.take().or(next.model);
        self.tokens = self.tokens.zip(next.tokens).map(|(before, more)| before.saturating_add(more));
    }
}

const NO_ALLOWANCE: Allowance = Allowance { requests: None, cost: None };
