//! What goes to crates.io: that each crate has all that its page there and on docs.rs needs, and leads nowhere amiss.

mod readme;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId, semver::Version};
use serde_json::json;

use self::readme::Readme;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a folder of the workspace")
}

fn published() -> Vec<Package> {
    let metadata = MetadataCommand::new().no_deps().exec().expect("cargo metadata runs where cargo test does");
    metadata.packages.into_iter().filter(|package| package.publish.is_none()).collect()
}

fn names(packages: &[Package]) -> BTreeSet<&str> {
    packages.iter().map(|package| package.name.as_str()).collect()
}

#[test]
fn the_crates_are_published_but_for_the_bench_and_nothing_else_is() {
    let folders = fs::read_dir(root().join("crates")).expect("there are crates");
    let folders = folders.map(|folder| folder.expect("it can be listed").file_name().into_string().expect("a name"));
    let folders: BTreeSet<_> = folders.filter(|name| name != "trysail-bench").collect();
    assert_eq!(names(&published()), folders.iter().map(String::as_str).collect());
}

#[test]
fn every_crate_says_what_a_registry_shows() {
    let mut keywords = BTreeMap::new();
    for package in published() {
        let name = package.name.as_str();
        assert!(package.description.as_ref().is_some_and(|text| text.len() > 40), "{name}: description");
        assert_eq!(package.license.as_deref(), Some("MIT OR Apache-2.0"), "{name}");
        assert!(package.repository.is_some() && package.rust_version.is_some(), "{name}: repository, rust-version");
        assert!((1..=5).contains(&package.categories.len()), "{name}: categories");
        assert!((3..=5).contains(&package.keywords.len()), "{name}: keywords");
        assert!(package.keywords.iter().all(|word| word.len() <= 20), "{name}: a keyword is too long");
        let twin = keywords.insert(package.keywords.clone(), package.name.clone());
        assert_eq!(twin, None, "{name} has the keywords of another");
    }
}

#[test]
fn docs_rs_shows_all_features_and_says_which_an_item_needs() {
    for package in published() {
        let docs = json!({ "all-features": true, "rustdoc-args": ["--cfg", "docsrs"] });
        assert_eq!(package.metadata["docs"]["rs"], docs, "{}", package.name);
        let lib = package.targets.iter().find(|target| target.is_lib()).expect("all are libraries");
        let lib = fs::read_to_string(&lib.src_path).expect("it can be read");
        assert!(lib.contains("#![cfg_attr(docsrs, feature(doc_cfg))]"), "{}", package.name);
    }
}

#[test]
fn every_package_holds_its_licences() {
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        let text = fs::read_to_string(root().join(licence)).expect("it is there");
        for package in published() {
            let packed = package.manifest_path.with_file_name(licence);
            assert_eq!(fs::read_to_string(&packed).ok().as_ref(), Some(&text), "{packed}");
        }
    }
}

#[test]
fn every_link_of_a_readme_leads_somewhere_from_everywhere() {
    let packages = published();
    for package in &packages {
        let repository = package.repository.as_deref().expect("tested above");
        let readme = Readme::of(package);
        let badges = ["https://img.shields.io/crates/v/", "https://docs.rs/", "https://crates.io/crates/"];
        for badge in badges.map(|at| format!("{at}{}", package.name)) {
            assert!(readme.links().iter().any(|link| link.starts_with(&badge)), "{}: no badge {badge}", package.name);
        }
        assert_eq!(readme.undefined(), [""; 0], "{}: `[`X`]: https://docs.rs/…` at its end says where", package.name);
        for link in readme.links() {
            let named = |at: &str| link.strip_prefix(at).map(|rest| rest.split('/').next().unwrap_or_default());
            assert!(link.starts_with("https://"), "{}: {link} leads nowhere on crates.io", package.name);
            if let Some(path) = link.strip_prefix(repository) {
                let path = path.strip_prefix("/blob/main/").or(path.strip_prefix("/tree/main/"));
                let path = path.unwrap_or_else(|| panic!("{}: {link} is no file of the repository", package.name));
                assert!(root().join(path.split('#').next().unwrap_or_default()).exists(), "{}: {link}", package.name);
            } else if let Some(name) = named("https://docs.rs/").or(named("https://crates.io/crates/")) {
                let ours = name.starts_with("trysail");
                assert!(!ours || names(&packages).contains(name), "{}: {link} is no crate", package.name);
            }
        }
    }
}

#[test]
fn every_feature_stands_in_the_readme() {
    for package in published() {
        let default: BTreeSet<_> = package.features.get("default").into_iter().flatten().map(String::as_str).collect();
        let features = package.features.keys().map(String::as_str).filter(|feature| *feature != "default");
        let features: BTreeMap<_, _> =
            features.map(|feature| (feature.to_owned(), default.contains(feature))).collect();
        assert_eq!(Readme::of(&package).features(), features, "{}", package.name);
    }
}

#[test]
fn nothing_that_is_published_needs_a_newer_rust_than_it_says() {
    // One system, so that all machines ask of the same packages, and none has to fetch those of the others.
    let options = ["--all-features", "--filter-platform", "x86_64-unknown-linux-gnu"].map(str::to_owned);
    let metadata = MetadataCommand::new().manifest_path(root().join("Cargo.toml")).other_options(options).exec();
    let metadata = metadata.expect("cargo metadata runs where cargo test does");
    for package in published() {
        let ours = package.rust_version.expect("tested above");
        for needed in needed(&metadata, &package.id) {
            let theirs = needed.rust_version.clone().unwrap_or(Version::new(1, 0, 0));
            assert!(
                theirs <= ours,
                "{} {} needs Rust {theirs}, and {} says {ours}",
                needed.name,
                needed.version,
                package.name
            );
        }
    }
}

/// All that is compiled to build a package.
fn needed<'a>(metadata: &'a Metadata, package: &PackageId) -> Vec<&'a Package> {
    let resolve = metadata.resolve.as_ref().expect("asked for");
    let (mut seen, mut next) = (BTreeSet::new(), vec![package]);
    while let Some(id) = next.pop() {
        let node = resolve.nodes.iter().find(|node| node.id == *id).expect("it is resolved");
        if seen.insert(&node.id) {
            let built = node
                .deps
                .iter()
                .filter(|dep| dep.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development));
            next.extend(built.map(|dep| &dep.pkg));
        }
    }
    seen.into_iter().map(|id| &metadata[id]).collect()
}
