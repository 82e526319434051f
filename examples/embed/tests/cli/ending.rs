use std::time::Duration;

use tokio::time::Instant;
use trysail_testkit::{EmbeddingServer, model::Model, server::Running};

use crate::support::{Run, embed, finish, run, sentences, server};

const KEY: &str = "k9-Sesame-open-0817";

/// Runs with a key, and everything that can be logged.
async fn talkative(server: &Running, args: &[&str], input: &str) -> Run {
    let mut command = embed(&[&["--url", &server.url(), "--model", "potion-base-2M"], args].concat());
    command.env("OPENAI_API_KEY", KEY).env("RUST_LOG", "trace");
    finish(command, input).await
}

fn assert_secret(run: &Run) {
    for output in [&run.stdout, &run.stderr] {
        assert!(!output.contains(KEY) && !output.contains("Sesame"), "{output}");
        assert!(!output.contains("The skipper"), "the input is shown: {output}");
    }
}

#[tokio::test]
async fn an_exhausted_quota_costs_one_request_and_says_what_to_do() {
    let server = server("quota:100").await;
    let run = run(&server.url(), &[], sentences(10).join("\n")).await;
    let (class, message) = run.failure();
    assert_eq!((run.code, class.as_str(), server.stats().requests), (Some(1), "quota_exhausted", 1));
    assert!(message.contains("429 insufficient_quota") && message.contains("check the account's plan"), "{message}");
}

#[tokio::test]
async fn a_bad_key_costs_one_request_and_is_never_shown() {
    let wants = EmbeddingServer::new().key("another-key-4711").echo_key(true).bind().await.unwrap();
    let repeats = server("401:100").await;
    for server in [wants, repeats] {
        for json in [&[][..], &["--json"]] {
            let before = server.stats().requests;
            let run = talkative(&server, json, &sentences(10).join("\n")).await;
            assert_secret(&run);
            let (class, message) = run.failure();
            let requests = server.stats().requests - before;
            assert_eq!((run.code, class.as_str(), requests), (Some(1), "auth", 1));
            assert!(message.contains("401 invalid_api_key") && message.contains("check the API key"), "{message}");
            assert!(run.stderr.contains("openai/invalid_api_key"), "{}", run.stderr);
        }
    }
}

#[tokio::test]
async fn a_good_key_is_never_shown_either() {
    let server = EmbeddingServer::new().key(KEY).faults("503:20,reset:10".parse().unwrap()).bind().await.unwrap();
    let run = talkative(&server, &["--batch", "1"], &sentences(20).join("\n")).await;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_secret(&run);
    assert!(run.stderr.contains("TRACE"), "nothing was logged: {}", run.stderr);
}

#[tokio::test]
async fn a_missing_key_is_called_missing() {
    let server = EmbeddingServer::new().key(KEY).bind().await.unwrap();
    let run = run(&server.url(), &[], "a line").await;
    let (class, message) = run.failure();
    assert_eq!(class, "auth");
    assert!(message.contains("no key was sent; set OPENAI_API_KEY"), "{message}");
}

#[tokio::test]
async fn an_input_that_is_too_long_costs_one_request_and_fails_alone() {
    let server = server("").await;
    let long = "sea ".repeat(9000);
    let run = run(&server.url(), &["--batch", "1"], format!("calm\n{long}\nsea")).await;
    let rows = run.rows();
    let error = rows[1].error.as_ref().unwrap();
    assert_eq!((run.code, server.stats().requests), (Some(1), 3));
    assert_eq!((error.class.as_str(), error.attempts), ("permanent", 1));
    assert!(
        error.message.contains("maximum context length") && error.message.contains("shorten the input"),
        "{error:?}"
    );
    assert!(rows[0].embedding.is_some() && rows[2].embedding.is_some());
}

#[tokio::test]
async fn an_unknown_model_ends_the_run() {
    let server = server("").await;
    let args = ["--url", &server.url(), "--model", "no-such-model", "--batch", "2"];
    let run = finish(embed(&args), sentences(100).join("\n")).await;
    let (class, message) = run.failure();
    assert_eq!((run.code, class.as_str()), (Some(1), "permanent"));
    assert!(message.contains("check the model's name"), "{message}");
    assert!(server.stats().requests <= 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_line_can_escape_costs_a_long_job_one_request_a_lane() {
    let texts = sentences(10_000).join("\n");
    for (plan, class) in [("401:100", "auth"), ("quota:100", "quota_exhausted"), ("429=900s:100", "throttled")] {
        let server = server(plan).await;
        let started = Instant::now();
        let run = run(&server.url(), &["--concurrency", "4", "--batch", "8"], &texts).await;
        assert!(started.elapsed() < Duration::from_secs(10));
        assert_eq!((run.code, run.failure().0.as_str()), (Some(1), class));
        assert!((1..=4).contains(&server.stats().requests), "{plan}: {:?}", server.stats());
        let rows = run.rows();
        assert!(rows.iter().map(|row| row.line).eq(1..=10_000));
        let sent = rows.iter().filter(|row| row.error.as_ref().unwrap().attempts > 0).count();
        assert!((8..=32).contains(&sent), "{plan}: {sent} lines were sent");
        assert!(run.stderr.contains("10000 lines failed, and no more were sent"), "{}", run.stderr);
    }
}

#[tokio::test]
async fn lines_that_are_too_long_fail_alone_wherever_they_stand() {
    let long = "sea ".repeat(9000);
    for culprits in [&[0][..], &[41], &[63], &[7, 56], &[30, 31]] {
        let server = server("").await;
        let mut texts = sentences(64);
        culprits.iter().for_each(|culprit| texts[*culprit].clone_from(&long));
        let run = run(&server.url(), &["--batch", "64"], texts.join("\n")).await;
        assert_eq!(run.code, Some(1));
        let requests = server.stats().requests;
        assert!(requests <= 1 + 2 * 6 * culprits.len() as u64, "{requests} requests for {culprits:?}");
        for (at, row) in run.rows().into_iter().enumerate() {
            assert_eq!(row.line, at as u64 + 1);
            if !culprits.contains(&at) {
                assert_eq!(row.embedding, Some(Model::potion().embed(&texts[at])), "line {}", row.line);
                continue;
            }
            let error = row.error.unwrap();
            assert_eq!((error.class.as_str(), error.attempts), ("permanent", 1));
            assert!(error.message.contains("shorten the input") && !error.message.contains("together"), "{error:?}");
        }
        let divided = format!("requests  {requests}, none of them a retry; one batch was divided");
        assert!(run.stderr.contains(&divided), "{}", run.stderr);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn halves_keep_to_the_concurrency_and_the_order() {
    let mut texts = sentences(512);
    (0..texts.len()).step_by(100).for_each(|at| texts[at] = "sea ".repeat(9000));
    let server = server("slow=20ms:100").await;
    let run = run(&server.url(), &["--batch", "64", "--concurrency", "2"], texts.join("\n")).await;
    let rows = run.rows();
    assert!(rows.iter().map(|row| row.line).eq(1..=512));
    assert!(rows.iter().enumerate().all(|(at, row)| row.error.is_some() == (at % 100 == 0)));
    assert!(server.stats().requests <= 8 + 6 * 2 * 6, "{:?}", server.stats());
}

#[tokio::test]
async fn a_refusal_that_all_requests_meet_ends_the_run() {
    let server = server("403:100").await;
    let run = run(&server.url(), &[], sentences(1_000).join("\n")).await;
    assert_eq!(run.failure().0.as_str(), "permanent");
    assert!(server.stats().requests <= 4 + 4, "{:?}", server.stats());
    assert!(run.stderr.contains("1000 lines failed, and no more were sent: the server answered 403"), "{}", run.stderr);
}

#[tokio::test]
async fn another_failure_fails_its_own_lines_only() {
    let server = server("503:100").await;
    let run = run(&server.url(), &["--batch", "1", "--retries", "1"], sentences(8).join("\n")).await;
    assert_eq!((run.code, server.stats().requests), (Some(1), 16));
    let rows = run.rows();
    assert!(rows.iter().all(|row| row.error.as_ref().unwrap().attempts == 2));
    assert!(run.failure().1.contains("given up after 2 attempts (--retries)"), "{}", run.stderr);
}
