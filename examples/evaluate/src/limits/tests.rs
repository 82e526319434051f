use super::*;

/// The rows that the program has printed.
fn committed() -> Vec<Row> {
    let lines = include_str!("../../../../docs/evaluation/limits.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).expect("a row")).collect()
}

fn row<'a>(rows: &'a [Row], job: &str, policy: Policy) -> &'a Row {
    let found = rows.iter().find(|row| row.job == job && row.policy == policy);
    found.expect("every policy is measured with every job")
}

#[test]
fn what_is_committed_is_what_the_program_prints() {
    let rows = committed();
    for policy in [Policy::Throttle, Policy::ThrottleHeaders, Policy::ThrottleSet] {
        for now in super::rows(Some(policy), 1) {
            let then = row(&rows, &now.job, policy);
            println!("{then:?}\n{now:?}");
            assert!((then.used - now.used).abs() <= 0.05);
            assert!((then.refused - now.refused).abs() <= 0.02);
        }
    }
}

#[test]
fn a_job_runs_at_the_rate_that_its_account_has() {
    let rows = committed();
    for job in ["requests bind", "tokens bind"] {
        for policy in [Policy::ThrottleHeaders, Policy::ThrottleSet] {
            let told = row(&rows, job, policy);
            assert!(told.used >= 0.97 && told.refused < 0.005, "{told:?}");
        }
        let found = row(&rows, job, Policy::Throttle);
        assert!(found.used >= 0.90 && found.refused < 0.03, "{found:?}");
    }
}

#[test]
fn less_is_refused_than_without_it_whatever_the_provider() {
    let rows = committed();
    for job in ALL {
        let (without, with) = (row(&rows, job.name, Policy::Retry), row(&rows, job.name, Policy::Throttle));
        println!("{without:?}\n{with:?}");
        assert!(with.refused * 2.0 < without.refused);
    }
}
