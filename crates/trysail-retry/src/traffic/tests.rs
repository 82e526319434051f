use super::*;

/// Counts a call as a budget does; says whether it asked for the time.
fn call(traffic: &Traffic, now_ms: u64) -> bool {
    let asks = !traffic.count_undated();
    if asks {
        traffic.count(now_ms);
    }
    asks
}

#[test]
fn calls_are_forgotten_after_eight_to_ten_seconds() {
    let traffic = Traffic::default();
    for now_ms in [0, 1_999, 2_000, 9_999] {
        traffic.count(now_ms);
    }
    let calls = [9_999, 10_000, 12_000, 17_999, 18_000, 1 << 50].map(|now_ms| traffic.calls(now_ms));
    assert_eq!(calls, [4, 2, 1, 1, 0, 0]);
    traffic.count(1 << 50);
    assert_eq!((traffic.calls(1 << 50), traffic.last_calls()), (1, 1));
}

#[test]
fn a_late_clock_counts_where_the_others_are() {
    let traffic = Traffic::default();
    traffic.count(20_000);
    traffic.count(3_000);
    assert_eq!((traffic.calls(20_000), traffic.calls(3_000)), (2, 2));
}

#[test]
fn enough_is_enough() {
    let traffic = Traffic::default();
    for _ in 0..100_000 {
        traffic.count(0);
    }
    assert_eq!(traffic.calls(0), ENOUGH as u32);
    for _ in 0..100_000 {
        traffic.count(2_000);
    }
    assert_eq!(traffic.calls(2_000), 2 * ENOUGH as u32);
}

#[test]
fn of_a_busy_caller_one_call_in_eight_asks_for_the_time() {
    let traffic = Traffic::default();
    let asks: Vec<_> = (0..1_000).filter(|_| call(&traffic, 0)).collect();
    assert_eq!(asks[..20], [(0..=16).collect::<Vec<_>>(), vec![24, 32, 40]].concat());
    assert!(asks.windows(2).all(|pair| pair[1] - pair[0] <= 8), "{asks:?}");
    assert!(asks.len() < 145, "{}", asks.len());
}

#[test]
fn a_caller_that_was_busy_is_found_out_of_date_after_seven_calls_at_most() {
    for burst in [16, 17, 100, 180, 181, 500] {
        let traffic = Traffic::default();
        for _ in 0..burst {
            call(&traffic, 0);
        }
        for _ in 0..8 {
            call(&traffic, 1 << 30);
        }
        assert!((1..=8).contains(&traffic.calls(1 << 30)), "after {burst} calls");
    }
}

#[test]
fn the_first_call_of_a_tick_is_told_what_was_before() {
    let traffic = Traffic::default();
    let told = [0, 1_999, 2_000, 3_000, 4_000, 60_000].map(|now_ms| traffic.count(now_ms));
    assert_eq!(told, [None, None, Some(2), None, Some(4), Some(0)]);
}
