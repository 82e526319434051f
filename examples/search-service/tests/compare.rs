//! What the table promises.

use search_service::compare::{By, Job, compare};

#[test]
fn what_fails_now_and_then_is_right_in_time_or_says_why() {
    for seed in 1..=2 {
        let table = compare(30, seed);
        for row in table.0.iter().filter(|row| row.by == By::Trysail) {
            let least = if row.job == Job::Ingest { 0.999 } else { 0.97 };
            assert!(row.share() >= least, "{table}");
            assert_eq!((row.wrong, row.panicked, row.late), (0, 0, 0), "{table}");
            assert!(row.failed.keys().all(|why| why.contains("server") || why.contains("limit")), "{table}");
        }
        for row in table.0.iter().filter(|row| row.by == By::Hand) {
            assert!(row.share() < 0.97, "else nobody needs more than a loop: {table}");
        }
    }
}

#[test]
fn a_server_that_never_fails_is_right_either_way() {
    let table = compare(0, 1);
    assert!(table.0.iter().all(|row| row.right == row.wanted()), "{table}");
}
