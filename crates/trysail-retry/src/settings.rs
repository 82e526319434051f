use std::{
    fmt,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use crate::Backoff;

/// When a retry asks again, and when it does not; to be changed while calls run, by a [`RetryHandle`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetrySettings<B = Backoff> {
    pub(crate) backoff: B,
    pub(crate) patience: Duration,
    pub(crate) least: Duration,
}

impl<B> RetrySettings<B> {
    /// Waits as `backoff` says; for a server that asks for more, up to 120 s, and never with less than 50 ms left.
    pub const fn new(backoff: B) -> Self {
        Self { backoff, patience: Duration::from_secs(120), least: Duration::from_millis(50) }
    }

    /// How long to wait before each retry, and how many there are.
    pub fn backoff<D>(self, backoff: D) -> RetrySettings<D> {
        self.map_backoff(|_| backoff)
    }

    /// The same with the backoff that `change` makes of this one.
    pub fn map_backoff<D>(self, change: impl FnOnce(B) -> D) -> RetrySettings<D> {
        let Self { backoff, patience, least } = self;
        RetrySettings { backoff: change(backoff), patience, least }
    }

    /// The longest wait a server may ask for; at a longer one the call fails at once.
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The least time an attempt needs: a retry that would begin with less left is not made.
    pub fn least(self, least: Duration) -> Self {
        Self { least, ..self }
    }
}

impl<B> RetrySettings<B>
where
    B: IntoIterator<Item = Duration> + Clone,
{
    /// The delay before a retry, counted from 0; `None` if there are no more.
    pub(crate) fn delay(&self, retry: u32) -> Option<Duration> {
        self.backoff.clone().into_iter().nth(retry as usize)
    }
}

/// Those of the default [`Backoff`].
impl Default for RetrySettings {
    fn default() -> Self {
        Self::new(Backoff::default())
    }
}

/// Settings of retries that can be changed while calls run; clones are handles of the same ones.
///
/// A call reads them when it first fails, and keeps to them.
///
/// ```
/// # use std::time::Duration;
/// # use trysail_retry::{Backoff, RetryHandle, RetryLayer, RetrySettings};
/// let patient = RetrySettings::new(Backoff::exponential(Duration::from_millis(100)));
/// let handle = RetryHandle::new(patient.clone());
/// let layer = RetryLayer::adjustable(&handle);
///
/// handle.set(patient.patience(Duration::from_secs(5)));
/// handle.update(|settings| settings.least(Duration::from_millis(200)));
/// # let _ = layer;
/// ```
pub struct RetryHandle<B = Backoff>(Arc<AdjustableSettings<B>>);

struct AdjustableSettings<B> {
    settings: RwLock<RetrySettings<B>>,
    /// Whether they allow any retry: what each call asks, and not only one that fails.
    retries: AtomicBool,
}

impl<B> RetryHandle<B>
where
    B: IntoIterator<Item = Duration> + Clone,
{
    /// Settings that are these until they are changed.
    pub fn new(settings: RetrySettings<B>) -> Self {
        let retries = settings.delay(0).is_some().into();
        Self(Arc::new(AdjustableSettings { settings: RwLock::new(settings), retries }))
    }

    /// Replaces all of them.
    pub fn set(&self, settings: RetrySettings<B>) {
        self.update(|_| settings);
    }

    /// Replaces them with what `change` makes of them; no other change comes between. `change` must not use the handle.
    pub fn update(&self, change: impl FnOnce(RetrySettings<B>) -> RetrySettings<B>) {
        let mut settings = self.0.settings.write().unwrap_or_else(PoisonError::into_inner);
        *settings = change(settings.clone());
        self.0.retries.store(settings.delay(0).is_some(), Relaxed);
    }

    pub(crate) fn allows_retry(&self) -> bool {
        self.0.retries.load(Relaxed)
    }
}

impl<B: Clone> RetryHandle<B> {
    /// What they are now.
    pub fn get(&self) -> RetrySettings<B> {
        self.0.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<B> Clone for RetryHandle<B> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<B: fmt::Debug> fmt::Debug for RetryHandle<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RetryHandle").field(&*self.0.settings.read().unwrap_or_else(PoisonError::into_inner)).finish()
    }
}

/// Where a layer has its settings from.
#[derive(Clone, Debug)]
pub(crate) enum SettingsSource<B> {
    Own(RetrySettings<B>),
    Shared(RetryHandle<B>),
}

impl<B: Clone> SettingsSource<B> {
    pub(crate) fn get(&self) -> RetrySettings<B> {
        match self {
            Self::Own(settings) => settings.clone(),
            Self::Shared(handle) => handle.get(),
        }
    }

    /// Changes the settings of this layer alone: a handle is left to those who share it.
    pub(crate) fn change(&mut self, change: impl FnOnce(RetrySettings<B>) -> RetrySettings<B>) {
        *self = Self::Own(change(self.get()));
    }
}
