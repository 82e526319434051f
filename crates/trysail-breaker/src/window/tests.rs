use super::*;

#[test]
fn calls_leave_the_window_when_it_has_slid_past_them() {
    let window = Window::new(Length::Time(Duration::from_secs(40)));
    window.record(1_000, 0, true);
    window.record(39_000, 0, false);
    let counts = |now_ms| {
        let tally = window.tally(now_ms, 0);
        (tally.calls, tally.hits)
    };
    assert_eq!(counts(39_999), (2, 1));
    assert_eq!(counts(40_000), (1, 0));
    assert_eq!(counts(75_999), (1, 0));
    assert_eq!(counts(76_000), (0, 0));
    assert_eq!(counts(100 * 86_400_000), (0, 0));
}

#[test]
fn the_span_is_that_of_the_first_call() {
    let window = Window::new(Length::Time(Duration::from_secs(40)));
    for at in [3_900, 3_950, 8_800] {
        window.record(at, 0, false);
    }
    let span = window.tally(8_900, 0).span;
    assert!(span <= Duration::from_millis(5_000) && span >= Duration::from_millis(4_990), "{span:?}");
}

#[test]
fn a_new_generation_begins_empty_and_takes_no_late_results() {
    let window = Window::new(Length::Time(Duration::from_secs(10)));
    window.record(5_000, 0, true);
    assert_eq!(window.tally(5_000, 1), Tally::default());
    for at in 5_000..5_010 {
        window.record(at, 1, false);
    }
    let before = window.tally(5_010, 1);
    for at in 0..=5_010 {
        window.record(at, 0, true);
    }
    assert_eq!(window.tally(5_010, 1), before);
}

#[test]
fn many_calls_keep_their_share_of_failures() {
    let window = Window::new(Length::Time(Duration::from_secs(40)));
    for call in 0..1_000_000_u64 {
        window.record(10, 0, call % 4 == 0);
    }
    let tally = window.tally(10, 0);
    let share = f64::from(tally.hits) / f64::from(tally.calls);
    assert!(tally.calls >= 4_000 && (0.24..0.26).contains(&share), "{tally:?}");
}

#[test]
fn a_window_of_nothing_is_a_window_of_ten_milliseconds() {
    let window = Window::new(Length::Time(Duration::ZERO));
    window.record(0, 0, true);
    assert_eq!((window.tally(9, 0).calls, window.tally(10, 0).calls), (1, 0));
}

#[test]
fn a_window_of_calls_slides_by_calls() {
    for (length, most) in [(1, 1), (5, 5), (10, 10), (100, 100), (25, 27), (100_000, 100_000)] {
        let window = Window::new(Length::Calls(length));
        for _ in 0..3 * length {
            window.record(0, 0, true);
        }
        let full = window.tally(0, 0);
        assert!(full.calls <= most && full.calls > length - length.div_ceil(10), "{length}: {full:?}");
        assert_eq!((full.hits, full.span), (full.calls, Duration::ZERO));
        for _ in 0..most {
            window.record(1 << 40, 0, false);
        }
        assert_eq!(window.tally(1 << 40, 0).hits, 0, "{length}");
        window.restart();
        assert_eq!(window.tally(1 << 40, 1), Tally::default());
    }
}

#[test]
fn a_window_of_calls_counts_each_of_many_threads_once() {
    let window = Window::new(Length::Calls(100_000));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let window = &window;
            scope.spawn(move || (0..20_000).for_each(|call| window.record(call, 0, thread == 0)));
        }
    });
    let tally = window.tally(0, 0);
    assert_eq!((tally.calls, tally.hits), (80_000, 20_000));
}

#[test]
fn a_window_works_after_any_idle_time() {
    for length_ms in [1, 1_000, 10_000, 40_000] {
        for days in 0..400 {
            let window = Window::new(Length::Time(Duration::from_millis(length_ms)));
            let now_ms = 1 + days * 86_400_000;
            window.record(0, 0, true);
            (0..20).for_each(|_| window.record(now_ms, 0, false));
            assert!(window.tally(now_ms, 0).calls >= 20, "a window of {length_ms} ms, idle for {days} days");
        }
    }
}
