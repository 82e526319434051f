use proptest::prelude::*;

use super::{bucket::FULL_TIMES_MASK, *};

/// From so many calls of a bucket on, one success of so many is dated.
const BUSY: u64 = 256;
const GROUP: u64 = 8;

/// A call that is no hit, as a circuit counts it.
fn succeed(window: &SlidingWindow, now_ms: u64, generation: u32) {
    if !window.count_undated() {
        window.record(now_ms, generation, false);
    }
}

#[test]
fn calls_leave_the_window_when_it_has_slid_past_them() {
    let window = SlidingWindow::new(WindowLength::Time(Duration::from_secs(40)));
    window.record(1_000, 0, true);
    window.record(39_000, 0, false);
    let counts = |now_ms| {
        let counts = window.counts(now_ms, 0);
        (counts.calls, counts.hits)
    };
    assert_eq!(counts(39_999), (2, 1));
    assert_eq!(counts(40_000), (1, 0));
    assert_eq!(counts(75_999), (1, 0));
    assert_eq!(counts(76_000), (0, 0));
    assert_eq!(counts(100 * 86_400_000), (0, 0));
}

#[test]
fn the_span_is_that_of_the_first_call() {
    let window = SlidingWindow::new(WindowLength::Time(Duration::from_secs(40)));
    for at in [3_900, 3_950, 8_800] {
        window.record(at, 0, false);
    }
    let span = window.counts(8_900, 0).span;
    assert!(span <= Duration::from_millis(5_000) && span >= Duration::from_millis(4_990), "{span:?}");
}

#[test]
fn a_new_generation_begins_empty_and_takes_no_late_results() {
    let window = SlidingWindow::new(WindowLength::Time(Duration::from_secs(10)));
    window.record(5_000, 0, true);
    assert_eq!(window.counts(5_000, 1), Counts::default());
    for at in 5_000..5_010 {
        window.record(at, 1, false);
    }
    let before = window.counts(5_010, 1);
    for at in 0..=5_010 {
        window.record(at, 0, true);
    }
    assert_eq!(window.counts(5_010, 1), before);
}

#[test]
fn a_bucket_counts_any_number_of_calls_exactly() {
    let window = SlidingWindow::new(WindowLength::Time(Duration::from_secs(40)));
    for calls in 1..=1_000_000_u32 {
        window.record(10, 0, calls % 4 == 0);
        if calls % 16_383 < 2 || calls % 99_999 == 0 {
            let counts = window.counts(10, 0);
            assert_eq!((counts.calls, counts.hits), (calls, calls / 4));
        }
    }
    window.record(39_999, 0, true);
    assert_eq!((window.counts(39_999, 0).calls, window.counts(40_000, 0).calls), (1_000_001, 1));
    // The same bucket, later, and in other generations: also where the marks of what was full come round.
    for (now_ms, generation) in [(40_000, 0), (40_000, 1), (40_000, 1_280), (20_480 * 4_000 + 10, 1_280)] {
        window.record(now_ms, generation, true);
        let counts = window.counts(now_ms, generation);
        assert!(counts.calls <= 2, "{now_ms} ms in generation {generation}: {counts:?}");
    }
}

#[test]
fn a_busy_bucket_counts_each_call_of_many_threads_once() {
    let window = SlidingWindow::new(WindowLength::Time(Duration::from_secs(40)));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let window = &window;
            scope.spawn(move || (0..200_000).for_each(|_| window.record(1, 0, thread == 0)));
        }
    });
    let counts = window.counts(1, 0);
    assert_eq!((counts.calls, counts.hits), (800_000, 200_000));
}

#[test]
fn counts_beyond_all_numbers_stand_still() {
    let mut full = Overflow::unpack(0).at(7);
    (0..=FULL_TIMES_MASK).for_each(|_| full = full.and(COUNT_MASK));
    let same = Overflow::unpack(full.pack());
    assert_eq!((same.tick, same.times, same.hits), (7, FULL_TIMES_MASK, FULL_TIMES_MASK * COUNT_MASK));
    let mut counts = Counts::default();
    (0..2).for_each(|_| counts.count(same.times * COUNT_MASK, same.hits));
    assert_eq!((counts.calls, counts.hits), (u32::MAX, u32::MAX));
}

#[test]
fn a_window_of_nothing_is_a_window_of_ten_milliseconds() {
    let window = SlidingWindow::new(WindowLength::Time(Duration::ZERO));
    window.record(0, 0, true);
    assert_eq!((window.counts(9, 0).calls, window.counts(10, 0).calls), (1, 0));
}

#[test]
fn a_window_of_calls_slides_by_calls() {
    for (length, most) in [(1, 1), (5, 5), (10, 10), (100, 100), (25, 27), (100_000, 100_000)] {
        let window = SlidingWindow::new(WindowLength::Calls(length));
        for _ in 0..3 * length {
            window.record(0, 0, true);
        }
        let full = window.counts(0, 0);
        assert!(full.calls <= most && full.calls > length - length.div_ceil(10), "{length}: {full:?}");
        assert_eq!((full.hits, full.span), (full.calls, Duration::ZERO));
        for _ in 0..most {
            window.record(1 << 40, 0, false);
        }
        assert_eq!(window.counts(1 << 40, 0).hits, 0, "{length}");
        window.restart();
        assert_eq!(window.counts(1 << 40, 1), Counts::default());
    }
}

#[test]
fn a_window_of_calls_counts_each_of_many_threads_once() {
    let window = SlidingWindow::new(WindowLength::Calls(100_000));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let window = &window;
            scope.spawn(move || (0..20_000).for_each(|call| window.record(call, 0, thread == 0)));
        }
    });
    let counts = window.counts(0, 0);
    assert_eq!((counts.calls, counts.hits), (80_000, 20_000));
}

#[test]
fn a_window_works_after_any_idle_time() {
    for length_ms in [1, 1_000, 10_000, 40_000] {
        for days in 0..400 {
            let window = SlidingWindow::new(WindowLength::Time(Duration::from_millis(length_ms)));
            let now_ms = 1 + days * 86_400_000;
            window.record(0, 0, true);
            (0..20).for_each(|_| window.record(now_ms, 0, false));
            assert!(window.counts(now_ms, 0).calls >= 20, "a window of {length_ms} ms, idle for {days} days");
        }
    }
}

/// What happens to a window, after so many milliseconds.
#[derive(Clone, Copy, Debug)]
enum Step {
    Successes(u32),
    Hit,
    NewGeneration,
}

fn step() -> impl Strategy<Value = (u64, Step)> {
    let gap_ms = prop_oneof![6 => 0..50_u64, 3 => 0..6_000_u64, 1 => 0..200_000_u64];
    let step = prop_oneof![
        6 => (1..20_u32).prop_map(Step::Successes),
        3 => (200..700_u32).prop_map(Step::Successes),
        3 => Just(Step::Hit),
        1 => Just(Step::NewGeneration),
    ];
    (gap_ms, step)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_when_fewer_than_a_group_of_successes_are_missing_and_only_after_a_busy_bucket(
        length_ms in prop_oneof![Just(40_000_u64), 1_000..20_000_u64],
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let window = SlidingWindow::new(WindowLength::Time(Duration::from_millis(length_ms)));
        let width_ms = length_ms.div_ceil(BUCKETS);
        let (mut now_ms, mut generation) = (0, 0);
        // The bucket of each call of this generation, and whether it is a hit.
        let mut calls: Vec<(u64, bool)> = Vec::new();
        for (gap_ms, step) in steps {
            now_ms += gap_ms;
            let bucket = now_ms / width_ms;
            match step {
                Step::Successes(times) => for _ in 0..times {
                    succeed(&window, now_ms, generation);
                    calls.push((bucket, false));
                },
                Step::Hit => {
                    window.record(now_ms, generation, true);
                    calls.push((bucket, true));
                }
                Step::NewGeneration => {
                    generation += 1;
                    window.restart();
                    calls.clear();
                }
            }
            let recent = |bucket_of: u64| bucket - bucket_of < BUCKETS;
            let exact = calls.iter().filter(|call| recent(call.0)).count() as u32;
            let hits = calls.iter().filter(|call| recent(call.0) && call.1).count() as u32;
            let counts = window.counts(now_ms, generation);
            prop_assert_eq!(counts.hits, hits);
            prop_assert!(counts.calls <= exact && exact - counts.calls < GROUP as u32, "{} of {}", counts.calls, exact);
            let busy = calls.chunk_by(|one, next| one.0 == next.0).any(|bucket| bucket.len() as u64 > BUSY);
            prop_assert!(busy || counts.calls == exact, "{} of {}", counts.calls, exact);
        }
    }
}

#[test]
fn a_busy_window_asks_for_the_time_once_in_a_group_and_an_idle_one_always() {
    for length in [WindowLength::Time(Duration::from_secs(40)), WindowLength::Calls(100_000)] {
        let window = SlidingWindow::new(length);
        let dated = |calls: u64| {
            let dated = (0..calls).filter(|_| !window.count_undated());
            dated.inspect(|_| window.record(1, 0, false)).count() as u64
        };
        let by_time = matches!(length, WindowLength::Time(_));
        assert_eq!(dated(BUSY), if by_time { BUSY } else { 1 });
        assert_eq!(dated(80 * GROUP), if by_time { 80 } else { 0 });
    }
}

#[test]
fn what_is_not_dated_of_many_threads_is_counted_once() {
    let window = SlidingWindow::new(WindowLength::Time(Duration::from_secs(40)));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..200_000).for_each(|_| succeed(&window, 1, 0)));
        }
    });
    assert_eq!(window.counts(1, 0).calls, 800_000);
}
