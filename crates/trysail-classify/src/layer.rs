use tower_layer::Layer;

use crate::Classify;

/// Judges every outcome by a [`Classifier`](trysail_core::Classifier).
#[derive(Clone, Copy, Debug)]
pub struct ClassifyLayer<C> {
    judge: C,
}

impl<C> ClassifyLayer<C> {
    /// A layer that asks `judge`, often a closure over the outcome.
    pub const fn new(judge: C) -> Self {
        Self { judge }
    }
}

impl<S, C: Clone> Layer<S> for ClassifyLayer<C> {
    type Service = Classify<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        Classify { inner, judge: self.judge.clone() }
    }
}
