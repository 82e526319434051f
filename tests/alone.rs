//! What a program pulls in that takes one layer and nothing else.

use std::{collections::BTreeSet, env, process::Command};

/// The crates under `package`, each with the features that are on, as `cargo tree` shows them.
fn tree(package: &str, more: &[&str]) -> BTreeSet<String> {
    let mut cargo = Command::new(env::var("CARGO").unwrap_or("cargo".to_owned()));
    cargo
        .args(["tree", "--package", package, "--edges", "normal", "--prefix", "none", "--format", "{lib} {f}"])
        .args(more);
    let output = cargo.output().expect("cargo runs where cargo test does");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("names in ASCII");
    // The first is the package itself.
    text.lines().skip(1).map(|line| line.trim_end_matches("(*)").trim().to_owned()).collect()
}

const FOR_ALL: [&str; 3] = ["pin_project_lite", "tower_layer", "tower_service"];

#[test]
fn a_layer_alone_needs_a_handful_of_crates_and_these_need_no_others() {
    for (layer, own) in [
        ("trysail-timeout", ["tokio time", "trysail_core"].as_slice()),
        ("trysail-classify", &["trysail_core"]),
        ("trysail-retry", &["tokio time", "trysail_core std"]),
        ("trysail-breaker", &["tokio sync,time", "trysail_core std"]),
        ("trysail-failover", &["tokio time", "trysail_core"]),
        ("trysail-throttle", &["tokio time", "trysail_core std"]),
    ] {
        let all: Vec<_> = FOR_ALL.iter().chain(own).copied().collect();
        assert_eq!(tree(layer, &[]), all.iter().map(ToString::to_string).collect(), "{layer}");
    }
    assert_eq!(tree("trysail-core", &[]), BTreeSet::new());
    assert_eq!(tree("trysail-core", &["--features", "std"]), BTreeSet::new());
}

#[test]
fn http_without_its_client_needs_neither_hyper_nor_tls_nor_compression() {
    let few =
        ["bytes default,std", "http default,std", "http_body", "httpdate", "itoa", "pin_project_lite", "tokio time"];
    let all = few.into_iter().chain(["tower_layer", "tower_service", "trysail_core"]);
    assert_eq!(tree("trysail-http", &[]), all.map(str::to_owned).collect());
}

#[test]
fn tracing_is_behind_its_feature_and_all_that_the_feature_brings() {
    for layer in ["trysail-retry", "trysail-breaker", "trysail-failover", "trysail-throttle"] {
        let (with, without) = (["--depth", "1", "--features", "tracing"], ["--depth", "1"]);
        let more: Vec<_> = tree(layer, &with).difference(&tree(layer, &without)).cloned().collect();
        assert_eq!(more, ["tracing"], "{layer}");
    }
}
