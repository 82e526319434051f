use std::sync::Arc;

/// Whose calls they are.
#[derive(Clone, Debug)]
pub(crate) struct Labels {
    pub(crate) origin: Arc<str>,
    pub(crate) model: Arc<str>,
}

impl Labels {
    pub(crate) fn new(origin: impl Into<Arc<str>>, model: impl Into<Arc<str>>) -> Self {
        Self { origin: origin.into(), model: model.into() }
    }
}
