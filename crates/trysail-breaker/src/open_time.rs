use std::time::Duration;

use tokio::time::Instant;
use trysail_core::Random;

use crate::settings::CircuitSettings;

/// For how long a circuit opens: twice as long after each failed probe.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OpenTime {
    /// How often it has doubled.
    growth: u32,
}

impl OpenTime {
    /// A probe has failed.
    pub(crate) fn double(&mut self, settings: &CircuitSettings) {
        // What has no effect need not be forgotten later.
        if self.whole(settings) < settings.cap {
            self.growth = self.growth.saturating_add(1);
        }
    }

    /// The circuit was closed for so long since the last trouble: a doubling is forgotten for every longest open time.
    pub(crate) fn decay(&mut self, settings: &CircuitSettings, closed: Duration) {
        let steps = closed.as_nanos().checked_div(settings.cap.as_nanos()).unwrap_or(u128::MAX);
        self.growth = self.growth.saturating_sub(steps.try_into().unwrap_or(u32::MAX));
    }

    /// How long it is this time: at least as long as the server asks for.
    pub(crate) fn draw(self, settings: &CircuitSettings, hint: Option<Duration>, random: &Random) -> Duration {
        let half = self.whole(settings) / 2;
        let spread = random.draw() as f64 / u64::MAX as f64;
        (half + half.mul_f64(spread)).max(hint.unwrap_or_default().min(settings.most_hint))
    }

    /// The longest that it would be now.
    fn whole(self, settings: &CircuitSettings) -> Duration {
        let factor = 1_u32.checked_shl(self.growth).unwrap_or(u32::MAX);
        settings.open.saturating_mul(factor).min(settings.cap)
    }
}

/// `now + time`, or decades later where that is beyond the clock.
pub(crate) fn later(now: Instant, time: Duration) -> Instant {
    now.checked_add(time).unwrap_or_else(|| now + DECADES)
}

const DECADES: Duration = Duration::from_secs(30 * 365 * 86_400);
