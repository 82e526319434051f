use super::*;

const USUAL: Settings =
    Settings { preset: Kind::Interactive, retries: 3, attempt: 20.0, overall: 60.0, no_circuit: false };

/// A call a second, of which each tenth meets an error, and each fiftieth is never answered.
fn trace() -> String {
    let lines = (0..500).map(|second| {
        let (outcome, latency) = match second % 50 {
            25 => ("dropped", 20.0),
            at if at % 10 == 9 => ("transient", 0.01),
            _ => ("success", 0.05),
        };
        format!("{second}.0\tcall\tm\tsuccess\t{latency}\t-\n{second}.0\tattempt\tm\t{outcome}\t{latency}\t-\n")
    });
    lines.collect()
}

#[test]
fn without_retries_it_is_what_it_was() {
    let trace = Trace::parse(&trace()).expect("a trace");
    let row = trace.replay(Settings { retries: 0, ..USUAL }, 1);
    println!("{row:?}");
    assert_eq!((row.calls, row.success, row.requests_per_call), (500, 0.88, 1.0));
    assert_eq!((row.p50_ms, row.max_ms), (50, 20_000));
}

#[test]
fn other_settings_would_have_had_other_answers() {
    let trace = Trace::parse(&trace()).expect("a trace");
    let (long, short) = (trace.replay(USUAL, 1), trace.replay(Settings { attempt: 1.0, ..USUAL }, 1));
    println!("{long:?}\n{short:?}");
    assert!(long.success > 0.97 && short.success > 0.97);
    assert!(short.p99_ms < long.p99_ms / 5);
    assert!(short.requests_per_call < 1.3);
}

#[test]
fn the_frontier_has_nothing_to_which_another_is_better_in_every_respect() {
    let trace = Trace::parse(&trace()).expect("a trace");
    let rows = trace.sweep(USUAL, 1);
    assert!(rows.len() > 1);
    for row in &rows {
        println!("{row:?}");
        assert!(!rows.iter().any(|other| other.beats(row)));
    }
}

#[test]
fn what_is_no_trace_is_told() {
    for (text, told) in [
        ("", "no calls"),
        ("1.0\tcall\tm\tsuccess\t1.0\t-", "no attempt"),
        ("1.0\tattempt\tm\tsuccess\t1.0\t-", "no calls"),
        ("1.0\tcall\tm\tsuccess\t1.0\t-\nfog", "line 2"),
    ] {
        let problem = Trace::parse(text).expect_err(told);
        assert!(problem.contains(told), "{problem}");
    }
}
