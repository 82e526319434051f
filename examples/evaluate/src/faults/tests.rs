use super::*;

/// The rows that the program has printed, all of them.
fn committed() -> Vec<Row> {
    parsed(include_str!("../../../../docs/evaluation/faults.jsonl"))
}

fn parsed(lines: &str) -> Vec<Row> {
    lines.lines().map(|line| serde_json::from_str(line).expect("a row")).collect()
}

fn row<'a>(rows: &'a [Row], scenario: &str, policy: Policy) -> &'a Row {
    let found = rows.iter().find(|row| row.scenario == scenario && row.policy == policy);
    found.expect("every policy is measured in every scenario")
}

fn peers(rows: &[Row], scenario: &str) -> impl Iterator<Item = Row> {
    let peers: Vec<_> = rows.iter().filter(|row| row.scenario == scenario && !row.policy.is_ours()).cloned().collect();
    peers.into_iter()
}

/// Those that try four times.
const AS_MANY_TRIES: [Policy; 4] =
    [Policy::Tower, Policy::TowerResilience, Policy::TowerResilienceBreaker, Policy::AsyncOpenai];

#[test]
fn what_is_committed_is_what_the_program_prints() {
    let then = parsed(include_str!("../../../../docs/evaluation/faults-small.jsonl"));
    for policy in [Policy::Trysail, Policy::TrysailPatient, Policy::Tower, Policy::OpenaiPython] {
        for now in (Choice { calls: 1_500, policy: Some(policy), scenario: None }).rows(1) {
            let then = row(&then, &now.scenario, policy);
            println!("{then:?}\n{now:?}");
            assert!((then.success - now.success).abs() <= 0.01);
            assert!((then.requests_per_call - now.requests_per_call).abs() <= 0.03);
            assert!(then.p50_ms.abs_diff(now.p50_ms) <= 20 + then.p50_ms / 10);
            assert!(then.p99_ms.abs_diff(now.p99_ms) <= 20 + then.p99_ms / 10);
            let near = |then: Option<usize>, now: Option<usize>| {
                then.zip(now).is_none_or(|(then, now)| then.abs_diff(now) <= 5 + then / 10)
            };
            assert!(near(then.dead_requests, now.dead_requests));
            assert!(near(then.late_dead_requests, now.late_dead_requests));
        }
    }
}

#[test]
fn errors_that_come_by_themselves_are_repeated_as_well_as_by_the_best_with_as_many_tries() {
    let rows = committed();
    for scenario in ["errors-1", "errors-5", "errors-10", "errors-30"] {
        let ours = row(&rows, scenario, Policy::Trysail);
        let best = AS_MANY_TRIES.map(|policy| row(&rows, scenario, policy).success).into_iter().fold(0.0, f64::max);
        println!("{scenario}: {} and {best}", ours.success);
        assert!(ours.success >= best - 0.005);
        assert!(row(&rows, scenario, Policy::TrysailPatient).success >= best - 0.005);
    }
}

#[test]
fn ours_is_ahead_where_more_goes_wrong_than_errors() {
    let rows = committed();
    for scenario in ["rate-limit", "restart", "poison", "bulk-outage"] {
        let ours = row(&rows, scenario, Policy::Trysail);
        for peer in peers(&rows, scenario) {
            assert!(ours.success > peer.success, "{ours:?}, {peer:?}");
        }
    }
    // What waits instead of failing is ahead of all that have a limit of time.
    for scenario in ["outage", "slow"] {
        let ours = row(&rows, scenario, Policy::TrysailPatient);
        for peer in peers(&rows, scenario).filter(|peer| peer.policy != Policy::Unprotected) {
            assert!(ours.success > peer.success, "{ours:?}, {peer:?}");
        }
    }
    let (hung, spent) = (row(&rows, "hangs-5", Policy::Trysail), row(&rows, "quota", Policy::Trysail));
    for peer in peers(&rows, "hangs-5") {
        assert!(hung.success > peer.success || hung.success == peer.success && hung.p99_ms <= peer.p99_ms, "{peer:?}");
    }
    for peer in peers(&rows, "quota") {
        // One opens its circuit, and refuses calls for a while that would have been answered.
        assert!(spent.requests_per_call <= peer.requests_per_call || peer.success < spent.success, "{peer:?}");
        // The latch asks after 30 s, and then not for 60 of the 1,000: it may be paid for at the beginning of them.
        assert!(spent.success >= peer.success - 0.06, "{peer:?}");
        let asked = [spent, &peer].map(|row| row.dead_requests.expect("the account was empty for a while"));
        assert!(asked[0] * 20 < asked[1], "{peer:?}");
    }
}

#[test]
fn no_success_costs_more_requests_than_it_costs_others() {
    let rows = committed();
    for scenario in ALL {
        let ours = row(&rows, scenario.name, Policy::Trysail);
        let as_good = peers(&rows, scenario.name).filter(|peer| peer.success >= ours.success - 0.0005);
        for peer in as_good.filter(|peer| peer.success <= ours.success + 0.0005) {
            assert!(ours.requests_per_call <= peer.requests_per_call + 0.003, "{ours:?}, {peer:?}");
        }
    }
}

#[test]
fn a_dead_server_is_left_alone() {
    let rows = committed();
    for (scenario, policy, most) in [
        ("outage", Policy::Trysail, 10),
        ("outage", Policy::TrysailPatient, 10),
        // Here the budget is so careful that the circuit need not open.
        ("bulk-outage", Policy::Trysail, 15),
    ] {
        let ours = row(&rows, scenario, policy);
        let asked = ours.late_dead_requests.expect("it was dead for a while");
        println!("{ours:?}");
        assert!(asked <= most);
        for peer in peers(&rows, scenario).filter(|peer| peer.policy != Policy::Unprotected) {
            assert!(asked * 10 < peer.late_dead_requests.unwrap_or(0), "{peer:?}");
        }
    }
}
