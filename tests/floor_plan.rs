//! The arrows between the crates: all of them point downwards, and there are no others.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

const CORE: &str = "trysail-core";
const LAYERS: [&str; 6] =
    ["trysail-timeout", "trysail-classify", "trysail-retry", "trysail-breaker", "trysail-failover", "trysail-throttle"];

/// What a pace needs that replicas share through Redis.
const STORE: [&str; 3] = ["redis", "ring", "rustls"];

const ROOMS: [&str; 4] = [CORE, "trysail-http", "trysail-providers", "trysail-embeddings"];

/// The normal dependencies of each package of the workspace, and whether they are optional.
fn arrows() -> BTreeMap<String, BTreeMap<String, bool>> {
    let metadata = MetadataCommand::new().no_deps().exec().expect("cargo metadata runs where cargo test does");
    let packages = metadata.packages.into_iter();
    packages
        .map(|package| {
            let normal = package.dependencies.into_iter().filter(|dep| dep.kind == DependencyKind::Normal);
            (package.name.to_string(), normal.map(|dep| (dep.name, dep.optional)).collect())
        })
        .collect()
}

fn ours(dependencies: &BTreeMap<String, bool>) -> BTreeSet<&str> {
    dependencies.keys().map(String::as_str).filter(|name| name.starts_with("trysail")).collect()
}

#[test]
fn core_depends_on_nothing_but_the_errors_of_tower_behind_a_feature() {
    assert_eq!(arrows()[CORE], BTreeMap::from([("tower".to_owned(), true)]));
}

#[test]
fn a_layer_depends_on_core_and_a_handful_of_others() {
    let arrows = arrows();
    for layer in LAYERS {
        let found: BTreeSet<_> = arrows[layer].keys().map(String::as_str).collect();
        let mut allowed = BTreeSet::from([CORE, "pin-project-lite", "tower-layer", "tower-service"]);
        assert!(found.is_superset(&allowed), "{layer}: {found:?}");
        allowed.extend(["tokio", "tracing"]);
        allowed.extend(STORE.iter().filter(|_| layer == "trysail-throttle"));
        assert!(found.is_subset(&allowed), "{layer}: {found:?}");
        for name in STORE {
            assert_ne!(arrows[layer].get(name), Some(&false), "{layer}: {name} is behind a feature");
        }
        assert_ne!(arrows[layer].get("tracing"), Some(&false), "{layer}: tracing is behind a feature");
    }
}

#[test]
fn http_knows_core_alone_providers_know_http_and_embeddings_know_both() {
    let arrows = arrows();
    assert_eq!(ours(&arrows["trysail-http"]), BTreeSet::from([CORE]));
    assert_eq!(ours(&arrows["trysail-providers"]), BTreeSet::from([CORE, "trysail-http"]));
    assert_eq!(ours(&arrows["trysail-embeddings"]), BTreeSet::from([CORE, "trysail-http", "trysail-providers"]));
}

/// Who judges by status compiles no table of providers, and nothing that reads their bodies.
#[test]
fn http_reads_no_bodies() {
    for reader in ["base64", "serde", "serde_json"] {
        assert!(!arrows()["trysail-http"].contains_key(reader), "{reader}");
    }
}

#[test]
fn the_facade_has_every_crate_behind_a_feature() {
    let arrows = arrows();
    let facade = &arrows["trysail"];
    let all: BTreeSet<_> = LAYERS.into_iter().chain(ROOMS).collect();
    assert_eq!(ours(facade), all);
    assert!(
        facade
            .iter()
            .all(|(name, optional)| *optional || [CORE, "tower-layer", "tower-service"].contains(&name.as_str()))
    );
}

#[test]
fn nothing_below_the_facade_needs_tower_or_a_client() {
    let arrows = arrows();
    let below = LAYERS.into_iter().chain(ROOMS);
    for (name, dependencies) in below.map(|name| (name, &arrows[name])) {
        assert!(name == CORE || !dependencies.contains_key("tower"), "{name}");
        for client in ["h2", "hyper", "hyper-rustls", "hyper-util", "rustls"] {
            assert_ne!(dependencies.get(client), Some(&false), "{name}: {client} is behind a feature");
        }
    }
}

#[test]
fn only_tests_and_examples_use_the_testkit() {
    let metadata = MetadataCommand::new().no_deps().exec().expect("cargo metadata runs where cargo test does");
    let examples = metadata.workspace_root.join("examples");
    for package in metadata.packages.iter().filter(|package| !package.manifest_path.starts_with(&examples)) {
        let mut normal = package.dependencies.iter().filter(|dep| dep.kind == DependencyKind::Normal);
        assert!(normal.all(|dep| dep.name != "trysail-testkit"), "{}", package.name);
    }
}

#[test]
fn nothing_that_is_built_takes_the_place_of_the_clock() {
    for (name, dependencies) in arrows() {
        assert!(!dependencies.contains_key("trysail-clock-reads"), "{name}");
    }
}
