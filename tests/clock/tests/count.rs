//! Every way to ask for the time is counted.
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

use std::{hint::black_box, thread};

use trysail_clock_reads::count;

#[test]
#[expect(clippy::disallowed_types, reason = "it is std's clock that is counted")]
fn a_reading_of_std_or_tokio_is_counted_on_the_thread_that_took_it() {
    let std = || _ = black_box(std::time::Instant::now());
    let tokio = || _ = black_box(tokio::time::Instant::now());
    assert_eq!(count(|| {}), Some(0));
    assert_eq!(count(std), Some(1));
    assert_eq!(count(tokio), Some(1));
    assert_eq!(count(|| (0..3).for_each(|_| std())), Some(3));
    assert_eq!(count(|| _ = black_box(std::time::SystemTime::now())), Some(1));
    assert_eq!(count(|| thread::scope(|scope| _ = scope.spawn(tokio).join())), Some(0));
}

#[test]
fn time_goes_on() {
    let earlier = tokio::time::Instant::now();
    while earlier.elapsed().is_zero() {}
}
