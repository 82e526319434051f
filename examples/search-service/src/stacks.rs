use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use tower::Layer;
use trysail::{
    Adjustable, Endpoint, Gauges, ObserveLayer, Preset, Stack,
    breaker::State,
    embeddings::InvalidEndpoint,
    observe::Observe,
    verdict::{Registered, Registry},
};

use crate::{Limits, Server};

/// A service under its policies, and counted.
type Guarded<S> = Observe<Stack<S, Adjustable>>;

/// One stack for each server that data sets ask: base, model, key, and whatever else they say.
pub(crate) struct Stacks<S> {
    known: Registry<Server, Slot<S>>,
    limits: Limits,
}

/// The stacks of a server; it has another circuit and another budget for what nobody waits for.
pub(crate) struct Kept<S> {
    /// For queries.
    pub(crate) query: Guarded<S>,
    /// For ingest.
    pub(crate) ingest: Guarded<S>,
    presets: [Preset<Adjustable>; 2],
    gauges: Gauges,
}

/// Empty until the server is first asked.
pub(crate) struct Slot<S>(Arc<OnceLock<Kept<S>>>);

impl<S: Clone> Stacks<S> {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { known: Registry::new(MOST, || Slot(Arc::default())), limits: limits.clone() }
    }

    /// The stacks of `server`, around what `service` makes of its endpoint.
    pub(crate) fn get(
        &self,
        server: &Server,
        service: impl FnOnce(Endpoint) -> Result<S, InvalidEndpoint>,
    ) -> Result<Slot<S>, InvalidEndpoint> {
        let slot = self.known.get(server);
        if slot.0.get().is_none() {
            let endpoint = server.endpoint()?;
            let origin = endpoint.uri().authority().map(ToString::to_string).unwrap_or_default();
            let service = service(endpoint)?;
            slot.0.get_or_init(|| self.keep(origin, &server.model, &service));
        }
        Ok(slot)
    }

    /// Tells the recorder how their circuits and budgets are.
    pub(crate) fn publish(&self) {
        self.known.snapshot().iter().filter_map(|(_, gauges)| gauges.as_ref()).for_each(Gauges::publish);
    }

    fn keep(&self, origin: String, model: &str, service: &S) -> Kept<S> {
        let presets = [self.limits.query(), self.limits.ingest()];
        let observe = ObserveLayer::new(&*origin, model);
        let [query, ingest] = presets.each_ref().map(|preset| observe.layer(preset.layer(service.clone())));
        let gauges = Gauges::new(origin, model).circuit(presets[0].circuit()).budget(presets[0].budget());
        Kept { query, ingest, presets, gauges }
    }
}

impl<S> Slot<S> {
    pub(crate) fn kept(&self) -> &Kept<S> {
        self.0.get().expect("it is filled before it is handed out")
    }
}

impl<S> Registered for Slot<S> {
    type Snapshot = Option<Gauges>;

    fn snapshot(&self) -> Option<Gauges> {
        self.0.get().map(|kept| kept.gauges.clone())
    }

    fn is_idle(&self) -> bool {
        let forgettable = |preset: &Preset<_>| {
            let budget = preset.budget().snapshot();
            preset.circuit().snapshot().state() == State::Closed && budget.retries >= budget.capacity
        };
        Arc::strong_count(&self.0) == 1 && self.0.get().is_none_or(|kept| kept.presets.iter().all(forgettable))
    }
}

impl<S> Clone for Slot<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> fmt::Debug for Stacks<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.known.fmt(f)
    }
}

/// How many servers, models and keys are known at once.
const MOST: usize = 1_000;
