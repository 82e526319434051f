use std::fs;

use super::*;

/// The rows that the program has printed, all of them.
fn committed() -> Vec<Row> {
    let lines = include_str!("../../../../docs/evaluation/storm.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).expect("a row")).collect()
}

fn row(rows: &[Row], policy: Policy, clients: usize, server: Kind) -> &Row {
    let found = rows.iter().find(|row| row.policy == policy && row.clients == clients && row.server == server);
    found.expect("every policy is measured with every number of processes")
}

fn again(policy: Policy, clients: usize, server: Kind) -> Row {
    Choice { clients: Some(clients), policy: Some(policy), server: Some(server) }.rows(1).remove(0)
}

#[test]
fn what_is_committed_is_what_the_program_prints() {
    let rows = committed();
    for (policy, clients, server) in [
        (Policy::Trysail, 1, Kind::Fifo),
        (Policy::Trysail, 100, Kind::Fifo),
        (Policy::Trysail, 700, Kind::Fifo),
        (Policy::TrysailWithoutBreaker, 10, Kind::Sheds),
        (Policy::Tower, 1, Kind::Fifo),
        (Policy::Aws14, 100, Kind::Fifo),
        (Policy::Grpc, 10, Kind::Lifo),
        (Policy::NoRetries, 1, Kind::Half),
        (Policy::Finagle10, 1, Kind::Replicas),
    ] {
        let (then, now) = (row(&rows, policy, clients, server), again(policy, clients, server));
        println!("{then:?}\n{now:?}");
        assert_eq!(then.recovery_s.is_some(), now.recovery_s.is_some());
        // Another machine may round a logarithm otherwise.
        assert!(then.recovery_s.zip(now.recovery_s).is_none_or(|(then, now)| then.abs_diff(now) <= 2));
        assert!((then.goodput_30_60 - now.goodput_30_60).abs() <= 20.0);
        assert!((then.goodput_90_119 - now.goodput_90_119).abs() <= 20.0);
        assert!((then.send_amplification - now.send_amplification).abs() <= 0.05);
        assert!((then.peak_amplification / now.peak_amplification - 1.0).abs() <= 0.1);
    }
}

#[test]
fn ours_recovers_from_every_number_of_processes_and_the_usual_budgets_do_not() {
    let rows = committed();
    for clients in CLIENTS {
        let ours = row(&rows, Policy::Trysail, clients, Kind::Fifo);
        assert!(ours.recovery_s.is_some_and(|seconds| seconds <= 13), "{ours:?}");
        assert!(ours.goodput_90_119 >= 690.0, "{ours:?}");
        assert_eq!(row(&rows, Policy::NoBudget, clients, Kind::Fifo).recovery_s, None);
        for server in [Kind::Sheds, Kind::Lifo, Kind::Half] {
            let ours = row(&rows, Policy::Trysail, clients, server);
            assert!(ours.recovery_s.is_some_and(|seconds| seconds <= 13), "{ours:?}");
        }
    }
    for usual in [Policy::Tower, Policy::Finagle20, Policy::Finagle10, Policy::Finagle50] {
        assert_eq!(row(&rows, usual, 100, Kind::Fifo).recovery_s, None);
    }
}

/// Whether the recovery is in a range as the tables write it, or little beside.
fn agrees(theirs: &str, ours: Option<usize>) -> bool {
    let mut bounds = theirs.split('-').map(str::parse::<f64>);
    let (Some(Ok(least)), most) = (bounds.next(), bounds.next()) else { return ours.is_none() };
    let most = most.and_then(Result::ok).unwrap_or(least);
    ours.is_some_and(|seconds| (seconds as f64) >= least * 0.8 - 1.0 && (seconds as f64) <= most * 1.2 + 1.0)
}

#[test]
fn the_other_policies_do_here_what_the_tables_say_of_them() {
    #[derive(Deserialize)]
    struct OneClient {
        rows: Vec<(String, f64, f64, f64, f64, String)>,
    }
    #[derive(Deserialize)]
    struct Fleet {
        rows: Vec<(usize, f64, f64, f64, f64, String)>,
        other_policies: Others,
    }
    #[derive(Deserialize)]
    struct Others {
        rows: Vec<(usize, String, String)>,
    }
    let text = |name| {
        let file = format!("{}/../../tests/data/metastability-{name}.json", env!("CARGO_MANIFEST_DIR"));
        fs::read_to_string(file).expect("a table")
    };
    let rows = committed();
    let OneClient { rows: one_client } = serde_json::from_str(&text("one-client")).expect("a table");
    for (policy, goodput, later, amplification, peak, recovery) in one_client {
        let policy = match policy.as_str() {
            "no_retries" => Policy::NoRetries,
            "3_retries_no_budget" => Policy::NoBudget,
            "aws_2.1 500/14" => Policy::Aws14,
            "aws_2.0 500/5" => Policy::Aws5,
            "finagle 20%+10/s" => Policy::Finagle20,
            "finagle 10%+10/s" => Policy::Finagle10,
            "finagle 50%+10/s" => Policy::Finagle50,
            "grpc 10/0.1" => Policy::Grpc,
            other => panic!("{other}"),
        };
        let here = row(&rows, policy, 1, Kind::Fifo);
        println!("{here:?}");
        assert!(agrees(&recovery, here.recovery_s));
        assert!((here.goodput_30_60 - goodput).abs() <= 20.0 && (here.goodput_90_119 - later).abs() <= 20.0);
        assert!((here.send_amplification - amplification).abs() <= 0.1);
        // Without a budget, the peak is that of one second in which many waits end.
        assert!(policy == Policy::NoBudget || (here.peak_amplification / peak - 1.0).abs() <= 0.15);
    }
    let Fleet { rows: fleet, other_policies } = serde_json::from_str(&text("fleet")).expect("a table");
    for (clients, _, later, amplification, _, recovery) in fleet {
        let here = row(&rows, Policy::TrysailWithoutBreaker, clients, Kind::Fifo);
        println!("{here:?}");
        assert!(agrees(&recovery, here.recovery_s));
        assert!((here.goodput_90_119 - later).abs() <= 20.0);
        assert!((here.send_amplification - amplification).abs() <= 0.05);
    }
    for (clients, policy, recovery) in other_policies.rows {
        let policy = match policy.as_str() {
            name if name.starts_with("tower/Finagle default") => Policy::Finagle20,
            name if name.starts_with("AWS 500 tokens, cost 14") => Policy::Aws14,
            "no budget" => Policy::NoBudget,
            other => panic!("{other}"),
        };
        let here = row(&rows, policy, clients, Kind::Fifo);
        println!("{here:?}, and the table: {recovery}");
        // Its tokens are 35 retries a process, 24,500 in all: more than a minute's work for what the server has left.
        let much_later = policy == Policy::Aws14 && clients == 700;
        assert!(agrees(if much_later { "80-90" } else { &recovery }, here.recovery_s));
    }
}
