use crate::sync::{AtomicU64, Ordering::Relaxed};

/// When a call that waits for the budget is let through though nothing can pay for it: one a second, and after each that
/// no success has followed a little later, down to one in five seconds. So callers that all wait for a success of their
/// own always get to try for it.
///
/// In one word: how many there were since the last success, and when the last was, in milliseconds.
#[derive(Debug, Default)]
pub(crate) struct ProbePacer(AtomicU64);

impl ProbePacer {
    /// Whether it is time for one, and it is taken.
    pub(crate) fn take(&self, now_ms: u64) -> bool {
        let take = |word| {
            let (count, last_ms) = unpack(word);
            let due = count == 0 && last_ms == 0 || now_ms >= last_ms.saturating_add(pause_ms(count));
            due.then(|| pack(count + 1, now_ms.max(1)))
        };
        self.0.fetch_update(Relaxed, Relaxed, take).is_ok()
    }

    /// The last one was not sent after all, so the next may go at once.
    pub(crate) fn give_back(&self) {
        let give = |word| {
            let (count, last_ms) = unpack(word);
            let count = count.saturating_sub(1);
            Some(pack(count, last_ms.saturating_sub(pause_ms(count))))
        };
        let _ = self.0.fetch_update(Relaxed, Relaxed, give);
    }

    /// A call has succeeded.
    pub(crate) fn succeeded(&self) {
        let forget = |word| {
            let (count, last_ms) = unpack(word);
            (count > 0).then(|| pack(0, last_ms))
        };
        let _ = self.0.fetch_update(Relaxed, Relaxed, forget);
    }
}

/// How long the next one waits after so many without a success.
const fn pause_ms(count: u64) -> u64 {
    match count {
        ..=3 => 1_000,
        4 | 5 => 2_000,
        6 | 7 => 3_000,
        _ => 5_000,
    }
}

/// Counts no further than it matters.
const fn pack(count: u64, last_ms: u64) -> u64 {
    let count = if count > COUNT_MASK { COUNT_MASK } else { count };
    last_ms << COUNT_BITS | count
}

const fn unpack(word: u64) -> (u64, u64) {
    (word & COUNT_MASK, word >> COUNT_BITS)
}

const COUNT_BITS: u32 = 4;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;

#[cfg(all(test, not(trysail_loom)))]
mod tests {
    use super::*;

    /// When probes are taken by somebody who tries every 10 ms.
    fn taken(probes: &ProbePacer, from_ms: u64, to_ms: u64) -> Vec<u64> {
        (from_ms..to_ms).step_by(10).filter(|now_ms| probes.take(*now_ms)).collect()
    }

    #[test]
    fn probes_come_once_a_second_and_more_seldom_while_none_succeeds() {
        let probes = ProbePacer::default();
        assert_eq!(taken(&probes, 10, 25_000), [10, 1_010, 2_010, 3_010, 5_010, 7_010, 10_010, 13_010, 18_010, 23_010]);
    }

    #[test]
    fn the_first_success_brings_them_back_to_one_a_second() {
        let probes = ProbePacer::default();
        taken(&probes, 10, 18_500);
        probes.succeeded();
        assert_eq!(taken(&probes, 18_500, 21_000), [19_010, 20_010]);
    }

    #[test]
    fn successes_do_not_make_more_than_one_a_second() {
        let probes = ProbePacer::default();
        let all = (10..10_000).filter(|now_ms| {
            probes.succeeded();
            probes.take(*now_ms)
        });
        assert_eq!(all.count(), 10);
    }

    #[test]
    fn one_that_was_not_sent_is_followed_by_another_at_once() {
        let probes = ProbePacer::default();
        for now_ms in [10, 1_010, 2_010, 3_010, 5_010, 7_010, 10_010, 13_010] {
            assert!(probes.take(now_ms));
            probes.give_back();
            assert!(probes.take(now_ms) && !probes.take(now_ms));
        }
    }
}

#[cfg(all(test, trysail_loom))]
mod in_every_order {
    use loom::{model, sync::Arc, thread};

    use super::*;

    /// How many of `work`, each on a thread of its own, say yes.
    fn together<const N: usize>(pacer: &Arc<ProbePacer>, work: [fn(&ProbePacer) -> bool; N]) -> usize {
        let threads = work.map(|work| {
            let pacer = Arc::clone(pacer);
            thread::spawn(move || work(&pacer))
        });
        threads.map(|thread| thread.join().expect("no panic")).into_iter().filter(|yes| *yes).count()
    }

    #[test]
    fn of_all_who_come_at_once_one_probes() {
        model(|| {
            let pacer = Arc::new(ProbePacer::default());
            assert_eq!(together(&pacer, [|pacer| pacer.take(10); 3]), 1);
        });
    }

    #[test]
    fn of_all_who_come_when_the_pause_is_over_one_probes() {
        model(|| {
            let pacer = Arc::new(ProbePacer::default());
            assert!(pacer.take(10));
            let work: [fn(&ProbePacer) -> bool; 3] =
                [|pacer| pacer.take(1_009), |pacer| pacer.take(1_010), |pacer| pacer.take(1_011)];
            assert_eq!(together(&pacer, work), 1);
        });
    }

    #[test]
    fn a_success_beside_them_lets_no_second_one_through() {
        model(|| {
            let pacer = Arc::new(ProbePacer::default());
            let succeeds: fn(&ProbePacer) -> bool = |pacer| {
                pacer.succeeded();
                false
            };
            assert_eq!(together(&pacer, [succeeds, |pacer| pacer.take(10), |pacer| pacer.take(10)]), 1);
        });
    }

    #[test]
    fn one_that_was_not_sent_makes_room_for_one() {
        model(|| {
            let pacer = Arc::new(ProbePacer::default());
            assert!(pacer.take(10));
            let gives_back: fn(&ProbePacer) -> bool = |pacer| {
                pacer.give_back();
                false
            };
            let taken = together(&pacer, [gives_back, |pacer| pacer.take(10), |pacer| pacer.take(10)]);
            assert_eq!(taken + usize::from(pacer.take(10)), 1);
        });
    }
}
