//! The manual against the code: what it links to exists, and what it says holds.

mod defaults;
mod stacking;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a folder of the workspace")
}

/// The pages of the manual, and the READMEs of the crates, of which one is that of the repository.
fn pages() -> BTreeSet<PathBuf> {
    let in_folder = |folder: PathBuf| {
        let entries = fs::read_dir(folder).expect("it can be listed");
        entries.map(|entry| entry.expect("it can be listed").path())
    };
    let docs = in_folder(root().join("docs")).filter(|page| page.extension().is_some_and(|is| is == "md"));
    let crates = in_folder(root().join("crates")).map(|of| of.join("README.md")).filter(|page| page.exists());
    docs.chain(crates).map(|page| page.canonicalize().expect("it is there")).collect()
}

fn read(page: &Path) -> String {
    fs::read_to_string(page).unwrap_or_else(|error| panic!("{}: {error}", page.display()))
}

/// The links in `text`, each with what it shows.
fn links(text: &str) -> Vec<(&str, &str)> {
    let mut rest = text;
    let mut links = Vec::new();
    while let Some((before, after)) = rest.split_once("](") {
        let shown = before.rsplit_once('[').map_or("", |(_, shown)| shown);
        let (target, after) = after.split_once(')').expect("a link ends");
        links.push((shown, target));
        rest = after;
    }
    links
}

/// The heading that `anchor` leads to, as GitHub names it.
fn has_heading(page: &str, anchor: &str) -> bool {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let name = |line: &str| {
        let kept = line.trim_start_matches('#').trim().to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
        kept.collect::<String>().replace(' ', "-")
    };
    headings.map(name).any(|name| name == anchor)
}

/// Whether `source` holds a test of this name.
fn has_test(source: &str, name: &str) -> bool {
    let head = format!("fn {name}(");
    let Some((before, _)) = source.split_once(&head) else { return false };
    let attributes = before.rsplit("\n\n").next().unwrap_or(before);
    // Tests by proptest have theirs inside a macro.
    attributes.contains("test]") || attributes.contains("test(") || source.contains("proptest!")
}

#[test]
fn every_link_of_the_manual_leads_somewhere() {
    for page in pages() {
        let text = read(&page);
        for (_, target) in links(&text).into_iter().filter(|(_, target)| !target.contains("://")) {
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            // An item of the crate, which rustdoc looks for.
            if path.contains("::") {
                continue;
            }
            let to = if path.is_empty() { page.clone() } else { page.parent().expect("a folder").join(path) };
            assert!(to.exists(), "{}: there is no {target}", page.display());
            assert!(anchor.is_empty() || has_heading(&read(&to), anchor), "{}: {target}", page.display());
        }
    }
}

#[test]
fn every_test_that_the_manual_names_is_one() {
    let mut named = 0;
    for page in pages() {
        let text = read(&page);
        for (shown, target) in links(&text) {
            let Some(name) = shown.strip_prefix('`').and_then(|name| name.strip_suffix('`')) else { continue };
            if target.ends_with(".rs") && !target.contains("://") {
                let source = read(&page.parent().expect("a folder").join(target));
                assert!(has_test(&source, name), "{}: {target} has no test {name}", page.display());
                named += 1;
            }
        }
    }
    assert!(named > 60, "{named}");
}

#[test]
fn each_of_the_thirty_incidents_is_on_the_page() {
    let table: Value = serde_json::from_str(include_str!("../data/regressions.json")).expect("a table");
    let page = include_str!("../../docs/incidents.md");
    for row in table["rows"].as_array().expect("rows") {
        let source = row["src"].as_str().expect("a source");
        let numbers =
            source.split('#').skip(1).map(|from| from.split(|c: char| !c.is_ascii_digit()).next().unwrap_or(""));
        for issue in numbers {
            assert!(page.contains(&format!("#{issue}")), "{source}: #{issue}");
        }
    }
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| what went wrong"));
    assert_eq!(Some(rows.count()), table["rows"].as_array().map(Vec::len));
}

#[test]
fn a_link_to_a_test_that_is_gone_is_noticed() {
    assert!(has_test("#[test]\nfn it_holds() {}", "it_holds"));
    assert!(!has_test("#[test]\nfn it_holds() {}", "it_held"));
    assert!(!has_test("fn helper() {}", "helper"));
    assert_eq!(links("see [`a`](b.rs) and [c](d.md#e)"), [("`a`", "b.rs"), ("c", "d.md#e")]);
    assert!(has_heading("# A page\n\n## What it `says`, twice\n", "what-it-says-twice"));
}
