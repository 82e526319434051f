use super::*;

#[cfg(not(trysail_loom))]
mod one_by_one {
    use super::*;

    const YEAR_MS: u64 = 365 * 86_400_000;

    #[test]
    fn a_retry_is_free_every_fourteen_seconds_however_the_time_is_cut() {
        let (whole, cut) = (TokenBucket::holding(0), TokenBucket::holding(0));
        for now_ms in (0..140_000).step_by(9) {
            assert!(cut.withdraw(0, 0, now_ms, 200_000));
        }
        assert_eq!((whole.balance(140_000, 200_000), cut.balance(140_000, 200_000)), (100_000, 100_000));
    }

    #[test]
    fn a_clock_that_is_late_gives_and_takes_nothing() {
        let tokens = TokenBucket::holding(0);
        assert!(tokens.withdraw(10_000, 0, 14_000, 30_000));
        assert!(!tokens.withdraw(1, 0, 0, 30_000));
        assert_eq!(tokens.balance(14_000, 30_000), 0);
    }

    #[test]
    fn nothing_is_endless_after_years_of_uptime() {
        for years in [1, 8, 9, 100] {
            let tokens = TokenBucket::holding(30_000);
            let granted = (0..10).filter(|_| tokens.withdraw(10_000, 0, years * YEAR_MS, 30_000)).count();
            assert_eq!(granted, 3, "{years} years");
        }
    }
}

#[cfg(trysail_loom)]
mod in_every_order {
    use loom::{sync::Arc, thread};

    use super::*;
    use crate::traffic::Traffic;

    /// Runs two threads on one value, in every order there is, and gives what they returned.
    fn both<T: Send + Sync + 'static, R: Copy + 'static>(
        make: impl Fn() -> T + Send + Sync + 'static,
        run: fn(&T, u32) -> R,
        check: fn(&T, [R; 2]),
    ) {
        loom::model(move || {
            let shared = Arc::new(make());
            let other = thread::spawn({
                let shared = Arc::clone(&shared);
                move || run(&shared, 1)
            });
            let mine = run(&shared, 0);
            let theirs = other.join().expect("no panic");
            check(&shared, [mine, theirs]);
        });
    }

    #[test]
    fn one_of_two_gets_the_only_retry() {
        both(
            || TokenBucket::holding(10_000),
            |tokens, _| tokens.withdraw(10_000, 0, 0, 30_000),
            |tokens, [mine, theirs]| {
                assert!(mine != theirs);
                assert_eq!(tokens.balance(0, 30_000), 0);
            },
        );
    }

    #[test]
    fn what_is_free_is_given_once() {
        both(
            || TokenBucket::holding(0),
            |tokens, thread| tokens.withdraw(10_000, 0, 14_000 + u64::from(thread), 30_000),
            |_, [mine, theirs]| assert!(mine != theirs),
        );
    }

    #[test]
    fn no_deposit_is_lost() {
        both(
            || TokenBucket::holding(0),
            |tokens, thread| tokens.deposit(2_000 + thread, 30_000, 10_000),
            |tokens, _| assert_eq!(tokens.balance(0, 30_000), 4_001),
        );
    }

    #[test]
    fn a_deposit_and_a_withdrawal_both_count() {
        both(
            || TokenBucket::holding(10_000),
            |tokens, thread| match thread {
                0 => tokens.withdraw(10_000, 0, 0, 30_000),
                _ => {
                    tokens.deposit(2_000, 30_000, 10_000);
                    true
                }
            },
            |tokens, granted| {
                assert_eq!((tokens.balance(0, 30_000), granted), (2_000, [true; 2]));
            },
        );
    }

    #[test]
    fn no_call_goes_uncounted_even_where_a_tick_begins() {
        both(
            Traffic::default,
            |traffic, thread| {
                traffic.count(1_999 + u64::from(thread));
            },
            |traffic, _| assert_eq!(traffic.calls(2_000), 2),
        );
    }
}
