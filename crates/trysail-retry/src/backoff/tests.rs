use proptest::prelude::*;

use super::*;

#[test]
fn full_jitter_stays_below_each_delay_and_uses_all_of_it() {
    let backoff = Backoff::exponential(Duration::from_millis(100)).retries(8).seed(7);
    for (retry, bound_ms) in [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000].into_iter().enumerate() {
        let bound = Duration::from_millis(bound_ms);
        let draws: Vec<_> = (0..1_000).map(|_| backoff.clone().into_iter().nth(retry).unwrap()).collect();
        assert!(draws.iter().all(|delay| *delay < bound));
        assert!(draws.iter().any(|delay| *delay < bound / 20));
        assert!(draws.iter().any(|delay| *delay > bound - bound / 20));
        let mean = draws.iter().sum::<Duration>() / 1_000;
        assert!(mean > bound * 45 / 100 && mean < bound * 55 / 100, "{mean:?} of {bound:?}");
        assert!(draws.iter().any(|delay| delay.subsec_nanos() % 1_000_000 != 0), "jitter is finer than milliseconds");
    }
}

#[test]
fn equal_jitter_keeps_half() {
    let backoff = Backoff::exponential(Duration::from_secs(4)).jitter(Jitter::Equal);
    for _ in 0..1_000 {
        let delay = backoff.clone().into_iter().next().unwrap();
        assert!((Duration::from_secs(2)..Duration::from_secs(4)).contains(&delay));
    }
}

#[test]
fn nothing_overflows() {
    for first in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
        for cap in [Duration::ZERO, Duration::from_secs(20), Duration::MAX] {
            for (jitter, kind) in
                [Jitter::None, Jitter::Full, Jitter::Equal, Jitter::Decorrelated].into_iter().flat_map(|jitter| {
                    [Backoff::exponential, Backoff::linear, Backoff::constant].map(|kind| (jitter, kind))
                })
            {
                let backoff = kind(first).cap(cap).jitter(jitter).retries(u32::MAX);
                for retry in [0, 31, 32, 1_000_000, u32::MAX as usize - 1] {
                    assert!(backoff.clone().into_iter().nth(retry).unwrap() <= cap.max(first));
                }
                assert_eq!(backoff.into_iter().nth(u32::MAX as usize), None);
            }
        }
    }
}

#[test]
fn clones_and_seeds() {
    let draws = |seed| {
        let backoff = Backoff::exponential(Duration::from_secs(1)).seed(seed);
        [backoff.clone(), backoff].map(|clone| clone.into_iter().next().unwrap())
    };
    let [first, second] = draws(1);
    assert_ne!(first, second, "clones share their source, so each draw is a new one");
    assert_eq!(draws(1), [first, second], "the same seed draws the same");
    assert_ne!(draws(2), [first, second]);
}

#[test]
fn the_iterator_knows_its_length() {
    let mut delays = Backoff::exponential(Duration::from_secs(1)).into_iter();
    assert_eq!(delays.len(), 3);
    delays.nth(1);
    assert_eq!((delays.len(), delays.count()), (1, 1));
}

#[test]
fn delays_grow_as_they_are_called() {
    let delays = |backoff: Backoff| -> Vec<u128> {
        backoff.jitter(Jitter::None).retries(5).into_iter().map(|delay| delay.as_millis()).collect()
    };
    let (first, cap) = (Duration::from_millis(100), Duration::from_millis(450));
    assert_eq!(delays(Backoff::exponential(first).cap(cap)), [100, 200, 400, 450, 450]);
    assert_eq!(delays(Backoff::linear(first).cap(cap)), [100, 200, 300, 400, 450]);
    assert_eq!(delays(Backoff::constant(first)), [100; 5]);
}

#[test]
fn each_step_of_a_decorrelated_walk_begins_where_the_last_one_ended() {
    let first = Duration::from_millis(100);
    let backoff = Backoff::exponential(first).cap(Duration::from_secs(60)).jitter(Jitter::Decorrelated);
    for seed in 0..100 {
        let mut before = first;
        for delay in backoff.clone().retries(50).seed(seed) {
            assert!((first..=before * 3).contains(&delay), "{delay:?} after {before:?}");
            before = delay;
        }
    }
}

#[test]
fn a_decorrelated_walk_stays_between_the_first_delay_and_three_times_the_last() {
    let (first, cap) = (Duration::from_millis(100), Duration::from_secs(2));
    let backoff = Backoff::exponential(first).cap(cap).jitter(Jitter::Decorrelated).retries(1_000);
    let (mut least, mut most) = (cap, first);
    for _ in 0..1_000 {
        let delay = backoff.clone().into_iter().next().unwrap();
        assert!((first..first * 3).contains(&delay));
        let later = backoff.clone().into_iter().nth(20).unwrap();
        (least, most) = (least.min(later), most.max(later));
    }
    assert!(least < first * 3 && most == cap, "{least:?} {most:?}");
}

proptest! {
    #[test]
    fn delays_never_shrink_and_jitter_never_leaves_their_bounds(
        first in 0_u64..u64::MAX,
        cap in 0_u64..u64::MAX,
        kind in 0..3_usize,
        retry in 0..100_usize,
    ) {
        let kind = [Backoff::exponential, Backoff::linear, Backoff::constant][kind];
        let backoff = kind(Duration::from_nanos(first)).cap(Duration::from_nanos(cap)).retries(u32::MAX);
        let nth = |jitter, n| backoff.clone().jitter(jitter).into_iter().nth(n).unwrap();
        let whole = nth(Jitter::None, retry);
        prop_assert!(whole <= nth(Jitter::None, retry + 1) && whole <= Duration::from_nanos(cap));
        prop_assert!(nth(Jitter::Full, retry) <= whole);
        prop_assert!((whole / 2..=whole).contains(&nth(Jitter::Equal, retry)));
    }
}
