//! How a machine slows down.

use std::time::Duration;

use crate::{
    decision::News,
    fare::Fare,
    heard::Heard,
    machine::Machine,
    rates::Rates,
    time::{between, nanos},
};

impl Machine {
    /// The server takes no more.
    pub(crate) fn slow_down(&mut self, rates: &Rates, fare: Fare, hint: Option<Duration>, now: u64) -> Option<News> {
        self.found.refused();
        let is_news = fare.epoch == self.epoch;
        let hint = hint.map(|hint| hint.min(self.settings.most_pause));
        let finds = is_news && self.settings.finds(hint);
        let pause = if finds { self.found.cut(hint, now) } else { hint.unwrap_or_default() };
        let until = now.saturating_add(nanos(pause.min(self.settings.most_pause)));
        if !is_news && until <= self.paused_until.max(now) {
            return None;
        }
        self.pauses(rates, until, now);
        self.follow(rates, now);
        rates.empty(self.paused_until);
        is_news.then_some(News::Paused)
    }

    /// Nobody goes before then, and slowly after it.
    pub(crate) fn pauses(&mut self, rates: &Rates, until: u64, now: u64) {
        self.recall(rates, now);
        self.epoch = self.epoch.wrapping_add(1);
        self.tally.pauses(between(self.paused_until.max(now), until));
        self.paused_until = until.max(self.paused_until);
        self.room.start.begin_after_pause(self.paused_until);
    }

    /// Who was let through and has not gone waits again.
    pub(crate) fn recall(&mut self, rates: &Rates, now: u64) {
        for fare in self.queue.recall() {
            rates.give_back(fare);
            self.room.leave(fare, self.epoch, Heard::Unsent, now);
        }
    }
}
