/// Vectors, one for each input and in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbedResponse {
    pub(crate) values: Vec<f32>,
    pub(crate) dimensions: usize,
    pub(crate) model: Option<String>,
    pub(crate) tokens: Option<u64>,
}

impl EmbedResponse {
    /// The vectors.
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
}
