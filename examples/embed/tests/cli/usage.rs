use crate::support::{Run, embed, finish};

async fn with(args: &[&str]) -> Run {
    finish(embed(args), "").await
}

#[tokio::test]
async fn a_usage_error_says_what_to_write_instead() {
    for (args, words) in [
        (&["--url", "localhost:8080"][..], "--url: the base URL lacks http://"),
        (&["--url", "http://me:hunter2@host/v1"], "holds a user or password"),
        (&["--faults", "storm:10"], "names no fault: there are 500"),
        (&["--faults", "503:10", "--url", "http://host/v1"], "cannot be used with '--url"),
        (&["--seed", "1"], "--faults <PLAN>"),
        (&["--deadline", "20"], "write a unit, as in 500ms, 20s or 10m"),
        (&["--attempt-timeout", "0s"], "it leaves no time at all"),
        (&["--connect-timeout", "3 fortnights"], "the units are ms, s, m, h and d"),
        (&["--deadline", "10M"], "M would be months; write m for minutes"),
        (&["--deadline=-3s"], "write a time above zero"),
        (&["--deadline", "soon"], "write it like 500ms, 20s or 10m"),
        (&["--deadline", "3,1s"], "write it like 500ms, 20s or 10m"),
        (&["--deadline", ""], "write it like 500ms, 20s or 10m"),
        (&["--deadline", "0.0ms"], "it leaves no time at all"),
        (&["--deadline", "367d"], "it is longer than a year"),
        (&["--deadline", "1y 1ns"], "it is longer than a year"),
        (&["--deadline", "99999999999999999999s"], "it is longer than a year"),
        (&["--max-line", "0"], "0 is not in 1..=1073741824"),
        (&["--batch", "0"], "0 is not in 1..=2048"),
        (&["--concurrency", "many"], "invalid digit"),
        (
            &["--redis", "redis.example:6379", "--url", "http://host/v1"],
            "--redis: not the URL of a Redis (redis://[user][:password@]host[:port][/database]): it has no scheme",
        ),
        (&["--redis", "http://:hunter2@host", "--url", "http://host/v1"], "its scheme is none of redis, rediss"),
        (&["--redis", "redis://", "--url", "http://host/v1"], "it names no host"),
        (
            &["--redis", "redis://:hunter2@host:port", "--url", "http://host/v1"],
            "host, port or database cannot be read",
        ),
        (&["--redis", "redis://:hunter2@host"], "--redis is for a server at --url"),
        (&["no/such/file.txt"], "cannot read no/such/file.txt: No such file"),
        (&["."], "cannot read .: it is a directory"),
        (&["--out", "no/such/folder/out.jsonl"], "cannot write --out no/such/folder/out.jsonl"),
        (&["--out", "Cargo.toml", "Cargo.toml"], "--out would overwrite an input: Cargo.toml"),
        (&["--record", "no/such/folder/trace"], "cannot write --record no/such/folder/trace"),
        (&["--record", "Cargo.toml", "Cargo.toml"], "--record would overwrite an input or --out: Cargo.toml"),
        (&["--api-key-env", "sk-hunter2"], "give its name, not the key"),
        (&["--api", "tei"], "--api tei needs --url: the built-in server speaks openai only"),
        (&["--api", "ollama", "--url", "http://host"], "--api ollama needs --model"),
        (&["--api", "azure", "--url", "http://host", "--model", "a/b"], "the deployment holds something else"),
        (&["--api", "cohere", "--url", "host", "--model", "m"], "write it like https://api.cohere.com"),
        (&["--api", "gopher"], "possible values: openai, tei, ollama, cohere, azure"),
        (&["--api-key", "sk-hunter2"], "--api-key-env"),
        (&["--header", "x-tenant=hunter2", "--url", "http://host"], "write --header like 'X-Tenant: harbour'"),
        (&["--header", "x tenant: hunter2", "--url", "http://host"], "the name of a header"),
        (&["--header", "x-tenant: hunter2\n", "--header", "x: \u{7}hunter2", "--url", "http://host"], "`x`"),
        (&["--header", "idempotency-key: hunter2", "--url", "http://host"], "an idempotency key is that of a request"),
        (&["--field", "hunter2", "--url", "http://host"], "write --field like truncate=true"),
        (&["--field", "encoding_format=float", "--url", "http://host"], "the field `encoding_format` is not one's own"),
        (&["--query", "=hunter2", "--url", "http://host"], "the name of a parameter is empty"),
        (&["--field", "truncate=true"], "--header, --field and --query are for a server at --url"),
    ] {
        let run = with(args).await;
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{args:?}");
        assert!(run.stderr.starts_with("error: ") && run.stderr.contains(words), "{args:?}: {}", run.stderr);
        assert!(!run.stderr.contains("hunter2"), "{args:?}: {}", run.stderr);
    }
}

#[tokio::test]
async fn times_are_written_with_units_fractions_and_several_parts() {
    for time in ["500ms", "3.1s", "10m", "1h", "1.5h", "1h 30m", "1h30m", " 20s ", "0.5ms", "1y", "2d"] {
        let run = with(&["--deadline", time, "--attempt-timeout", "1s", "--quiet"]).await;
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{time}");
    }
}

#[tokio::test]
async fn faults_are_refused_where_the_environment_names_a_server() {
    let mut command = embed(&["--faults", "503:10"]);
    command.env("OPENAI_BASE_URL", "http://localhost:1/v1");
    let run = finish(command, "a line").await;
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("OPENAI_BASE_URL names another; unset it"), "{}", run.stderr);
}

#[tokio::test]
async fn the_environment_names_server_and_key() {
    let server = trysail_testkit::EmbeddingServer::new().key("secret-of-mine").bind().await.unwrap();
    let mut command = embed(&["--model", "potion-base-2M", "--api-key-env", "MY_KEY"]);
    command.env("OPENAI_BASE_URL", server.url()).env("MY_KEY", "secret-of-mine").env("OPENAI_API_KEY", "wrong");
    let run = finish(command, "a line").await;
    assert_eq!((run.code, server.stats().inputs), (Some(0), 1), "{}", run.stderr);
}

#[tokio::test]
async fn help_and_version_are_there() {
    for (flag, words) in [("--help", "Exit status:"), ("-h", "--attempt-timeout"), ("--version", "embed 0.")] {
        let run = with(&[flag]).await;
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
        assert!(run.stdout.contains(words), "{}", run.stdout);
    }
}

#[tokio::test]
async fn the_manual_has_the_defaults_that_help_shows() {
    let help = with(&["--help"]).await.stdout;
    let page = include_str!("../../../../docs/defaults.md");
    let rows: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("| `--")?.split_once("` |")).collect();
    assert!(rows.len() > 5, "{rows:?}");
    for (flag, cells) in rows {
        let cells: Vec<_> = cells.split('|').map(str::trim).collect();
        let (_, about) = help.split_once(&format!("\n      --{flag} <")).unwrap_or_else(|| panic!("no --{flag}"));
        let about = about.split("\n      --").next().unwrap_or_default();
        assert!(about.contains(&format!("[default: {}]", cells[0])), "--{flag}: {about}");
        if let Ok(most) = cells[1].parse::<u32>() {
            let refused = with(&[&format!("--{flag}"), &(most + 1).to_string()]).await;
            assert!(refused.stderr.contains(&format!("is not in 1..={most}")), "{}", refused.stderr);
        }
    }
}

#[tokio::test]
async fn json_on_standard_error_is_nothing_but_json() {
    let mut command = embed(&["--json", "--faults", "503:60", "--batch", "1", "--retries", "2"]);
    command.env("RUST_LOG", "trysail=debug");
    let run = finish(command, "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight").await;
    let lines: Vec<serde_json::Value> = run.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["fields"]["message"] == "retry"), "{}", run.stderr);
    let summary = &lines.last().unwrap()["summary"];
    assert_eq!(summary["embedded"].as_u64().unwrap() + summary["failed"].as_u64().unwrap(), 8);
}
