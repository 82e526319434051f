use std::{fmt::Debug, hash::Hash};

use trysail_core::Open;

use crate::{Circuit, Circuits};

/// Says which circuit a request goes through.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no circuit for `{Req}`",
    note = "pass a `Circuit`, as `Circuit::new(trip)` makes one of a `Trip`, or `Keyed::new(circuits, |request: &{Req}| key)`"
)]
pub trait Select<Req> {
    /// The circuit of `request`.
    fn select(&self, request: &Req) -> Circuit;

    /// The refusal that every request meets now, whatever it is.
    fn peek(&self) -> Option<Open> {
        None
    }
}

impl<Req> Select<Req> for Circuit {
    #[inline]
    fn select(&self, _: &Req) -> Circuit {
        self.clone()
    }

    #[inline]
    fn peek(&self) -> Option<Open> {
        self.peek()
    }
}

/// A circuit for each key, and the key of each request.
///
/// Which circuit a call meets is known when it is made, so an open one refuses after the service was ready.
#[derive(Clone, Debug)]
pub struct Keyed<K, F, M = fn() -> Circuit> {
    circuits: Circuits<K, M>,
    key: F,
}

impl<K, F, M> Keyed<K, F, M> {
    /// Takes `key` of a request, and its circuit out of `circuits`.
    pub const fn new(circuits: Circuits<K, M>, key: F) -> Self {
        Self { circuits, key }
    }
}

impl<Req, K, F, M> Select<Req> for Keyed<K, F, M>
where
    K: Hash + Eq + Clone + Debug,
    F: Fn(&Req) -> K,
    M: Fn() -> Circuit,
{
    fn select(&self, request: &Req) -> Circuit {
        self.circuits.get(&(self.key)(request))
    }
}
