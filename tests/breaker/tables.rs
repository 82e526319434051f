//! What the test suites of other breakers assert, asserted of ours. Rows that are not ours are printed with the reason.

use std::time::Duration;

use serde_json::Value;
use tokio::time;
use trysail::{Circuit, CircuitSettings, Trip, Verdict, breaker::State, verdict::Cause};

use super::script::{Call, Play, verdict};

const SECOND: Duration = Duration::from_secs(1);

fn table(json: &str) -> Value {
    serde_json::from_str(json).expect("a table")
}

fn not_ours(row: &str, because: &str) {
    println!("not ours: {row}: because {because}");
}

/// Why this row is not ours, if it is not.
fn foreign(reasons: &[(&str, &str)], row: &str) -> bool {
    let reason = reasons.iter().find(|(name, _)| *name == row);
    reason.inspect(|(_, because)| not_ours(row, because)).is_some()
}

#[tokio::test(start_paused = true)]
async fn six_failures_in_a_row_open_it_as_they_do_gobreakers() {
    let table = table(include_str!("../data/breaker-consecutive.json"));
    // "More than five".
    Play::new(Circuit::new(Trip::consecutive(6)), 60 * SECOND).run(&table["script"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_ratio_opens_it_as_it_does_gobreakers() {
    let mut table = table(include_str!("../data/breaker-ratio.json"));
    // Its window is cleared every 30 s; ours slides, so a success of the second before still counts, and it takes one
    // more failure to reach 60 %.
    let script = table["script"].as_array_mut().expect("a script");
    let opens = script.iter().position(|step| step == "?OPEN").expect("it opens");
    script.insert(opens, "F".into());
    let trip = Trip::rate(0.6).calls(3).span(Duration::ZERO).within(30 * SECOND);
    Play::new(Circuit::new(CircuitSettings::new(trip).probes(3, 3)), 90 * SECOND).run(&table["script"]).await;
}

#[tokio::test(start_paused = true)]
async fn results_of_an_earlier_generation_count_for_nothing() {
    let table = table(include_str!("../data/breaker-generations.json"));
    not_ours("gobreaker's window that rolls over", "our window slides, and only changes of state begin a generation");
    for case in table["ours"].as_array().expect("cases") {
        for trip in [Trip::default(), Trip::consecutive(3), Trip::rate(0.5).last(20)] {
            println!("{}", case["name"]);
            Play::new(Circuit::new(trip), 5 * SECOND).run(&case["script"]).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn it_goes_from_state_to_state_as_resilience4j_does() {
    const NOT_OURS: &[(&str, &str)] = &[
        ("half-open -> open", "one failed probe opens it again, without a rate"),
        ("half-open -> open by slow", "a probe is judged by its outcome alone"),
        ("half-open -> closed", "one failed probe opens it again, without a rate"),
        ("ignored releases permit", "it ends with a failed probe that closes; its beginning is that of the next row"),
        ("illegal", "nothing can ask a circuit to be half-open"),
        ("max wait in half-open 1s", "who wants to know calls, and a probe that hangs loses its place"),
        ("max wait in half-open 1s, transition target CLOSED", "silence is no reason to close"),
        ("exponential open interval 5s x1.5", "ours doubles"),
    ];
    let table = table(include_str!("../data/breaker-state-machine.json"));
    let trip = Trip::rate(0.5).calls(5).span(Duration::ZERO).within(20 * SECOND).or_slow(4 * SECOND, 0.5);
    for case in table["cases"].as_array().expect("cases") {
        let name = case["name"].as_str().expect("a name");
        if foreign(NOT_OURS, name) {
            continue;
        }
        println!("{name}");
        let mut play = Play::new(Circuit::new(CircuitSettings::new(trip).probes(4, 4)), 5 * SECOND);
        if let Some(calls) = case["calls"].as_array() {
            for call in calls {
                let begun = Call::begin(&play.circuit).expect("admitted");
                time::advance(Duration::from_millis(call[1].as_u64().expect("a time"))).await;
                begun.end(verdict(call[0].as_str().expect("an outcome")).expect("an outcome"));
            }
            play.step(&format!("?{}", case["state"].as_str().expect("a state"))).await;
            assert_eq!(play.circuit.snapshot().cause(), Some(Cause::Slow));
            continue;
        }
        play.run(&case["script"]).await;
        if case["failure_rate"].is_number() {
            assert_eq!(play.circuit.snapshot().cause(), Some(Cause::Rate));
        }
        if case["then"].is_string() {
            play.step("R").await;
        }
        if case["after_release_one"] == "P" {
            play.step("complete=X").await;
            play.step("P").await;
            play.step("R").await;
        }
        if case["counts"].is_number() {
            play.step("assert_counts=0").await;
        }
        if let Some(refused) = case["not_permitted"].as_u64().or(case["not_permitted_before"].as_u64()) {
            assert_eq!(u64::from(play.refused), refused);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_rate_is_taken_of_enough_calls_and_equality_is_enough_as_for_polly() {
    let table = table(include_str!("../data/breaker-trip-decision.json"));
    for row in table["rows"].as_array().expect("rows") {
        let number = |column: usize| row[column].as_f64().expect("a number");
        let (calls, least, share, threshold) = (number(0), number(1), number(2), number(3));
        let failures = (calls * share).ceil() as usize;
        for failures_first in [true, false] {
            let circuit = Circuit::new(Trip::rate(threshold).calls(least as u32).span(Duration::ZERO));
            let mut verdicts = vec![Verdict::SUCCESS; calls as usize];
            verdicts[..failures].fill(Verdict::TRANSIENT);
            if !failures_first {
                verdicts.reverse();
            }
            // All begin before the first ends, so that none is refused.
            let calls: Vec<_> = verdicts.iter().map(|_| Call::begin(&circuit).expect("admitted")).collect();
            calls.into_iter().zip(verdicts).for_each(|(call, verdict)| call.end(verdict));
            assert_eq!(circuit.state() == State::Open, row[4].as_bool().expect("a decision"), "{row}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn streaks_and_rates_go_together_as_they_do_in_linkerd() {
    const NOT_OURS: &[(usize, &str)] = &[
        (5, "a throttled call that counts is a failure to rates and streaks alike"),
        (9, "a trip has at least one rule; a circuit that never opens is a disabled one"),
    ];
    let table = table(include_str!("../data/breaker-unified.json"));
    for (index, case) in table["cases"].as_array().expect("cases").iter().enumerate() {
        if let Some((_, because)) = NOT_OURS.iter().find(|(row, _)| *row == index) {
            not_ours(&format!("linkerd's case {index}"), because);
            continue;
        }
        println!("case {index}");
        let streak = case["max_consecutive"].as_u64().expect("a number") as u32;
        let trip = match case["threshold"].as_f64() {
            // Its threshold is the least share of successes.
            Some(successes) if successes > 0.0 => Trip::rate(1.0 - successes)
                .calls(case["min"].as_u64().expect("a number") as u32)
                .span(Duration::ZERO)
                .within(10 * SECOND)
                .or_streak(streak, Duration::ZERO),
            _ => Trip::consecutive(streak),
        };
        let circuit = Circuit::new(CircuitSettings::new(trip).count_throttled(true));
        Play::new(circuit, SECOND).run_together(&case["script"]).await;
    }
    let both = Trip::rate(1.0).calls(3).span(Duration::ZERO).or_streak(3, Duration::ZERO);
    let mut play = Play::new(Circuit::new(both), SECOND);
    play.step("trip").await;
    assert_eq!((table["both_cross_at_once"].as_str(), play.circuit.snapshot().cause()), {
        (Some("reported reason = consecutive"), Some(Cause::Streak))
    });
}

#[tokio::test(start_paused = true)]
async fn the_open_time_grows_and_is_forgotten_as_envoys_is() {
    let table = table(include_str!("../data/breaker-open-time.json"));
    let seconds = |value: &Value| value.as_u64().expect("seconds") as u32 * SECOND;
    let base = seconds(&table["base_s"]);
    let settings = CircuitSettings::new(Trip::consecutive(1)).open_time(base, seconds(&table["cap_s"]));
    let circuit = Circuit::new(settings);
    let begin = || Call::begin(&circuit).expect("admitted");
    // How long it is open, of which jitter may take half.
    let fail = |whole: Duration| {
        begin().end(Verdict::TRANSIENT);
        let time = circuit.snapshot().next_probe().expect("it is open");
        assert!(time >= whole / 2 && time <= whole, "{time:?} of {whole:?}");
        time::advance(time + SECOND / 1000)
    };
    let ejections = table["ejections_s"].as_array().expect("three times");
    fail(seconds(&ejections[0])).await;
    fail(seconds(&ejections[1])).await;
    not_ours("the third ejection, 30 s", "ours doubles: 40 s");
    fail(4 * base).await;
    for whole in [8 * base, 16 * base] {
        fail(whole).await;
    }
    for _ in 0..5 {
        fail(seconds(&table["cap_s"])).await;
    }
    begin().end(Verdict::SUCCESS);
    not_ours("after two healthy intervals, 20 s", "ours forgets a doubling for each longest open time");
    time::advance(5 * seconds(&table["cap_s"])).await;
    fail(seconds(&table["after_long_healthy_s"])).await;
}
