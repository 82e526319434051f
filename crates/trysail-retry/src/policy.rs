use std::{sync::Arc, time::Duration};

use trysail_core::Random;

use crate::settings::SettingsSource;

/// Everything a retry asks, and what it was told.
#[derive(Clone, Debug)]
pub(crate) struct Policy<B, C, R> {
    pub(crate) settings: SettingsSource<B>,
    pub(crate) judge: C,
    pub(crate) per_request: R,
    /// Whether to wait for a circuit or a budget, instead of failing.
    pub(crate) patient: bool,
    pub(crate) random: Arc<Random>,
}

impl<B, C, R> Policy<B, C, R>
where
    B: IntoIterator<Item = Duration> + Clone,
{
    /// Whether calls may be repeated, as of now.
    pub(crate) fn allows_retry(&self) -> bool {
        self.patient
            || match &self.settings {
                SettingsSource::Own(settings) => settings.delay(0).is_some(),
                SettingsSource::Shared(handle) => handle.allows_retry(),
            }
    }

    /// The same, where it was so before or may change.
    #[inline]
    pub(crate) fn still_allows_retry(&self) -> bool {
        match &self.settings {
            SettingsSource::Own(_) => true,
            SettingsSource::Shared(handle) => self.patient || handle.allows_retry(),
        }
    }

    /// Whether that may change.
    pub(crate) fn is_adjustable(&self) -> bool {
        matches!(self.settings, SettingsSource::Shared(_))
    }
}
