use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use crate::{
    EmbedRequest,
    capacity::{Capacity, Unit},
};

/// A request that was refused, and is asked for in parts. If all of those are answered, it was its size.
#[derive(Debug)]
pub(super) struct Family {
    parent: Option<Arc<Self>>,
    unit: Unit,
    size: usize,
    inputs: usize,
    answered: AtomicUsize,
}

impl Family {
    pub(super) fn new(request: &EmbedRequest, unit: Unit, parent: Option<Arc<Self>>) -> Arc<Self> {
        Arc::new(Self { parent, unit, size: unit.of(request), inputs: request.len(), answered: AtomicUsize::new(0) })
    }

    /// So many of its inputs were answered.
    pub(super) fn answer(&self, inputs: usize, capacity: &Capacity) {
        if self.answered.fetch_add(inputs, Relaxed) + inputs == self.inputs {
            capacity.refuse(self.unit, self.size);
        }
        if let Some(parent) = &self.parent {
            parent.answer(inputs, capacity);
        }
    }
}
