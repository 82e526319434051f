//! Inside the layers' crates: files of a size to be read at once, modules that build on each other in one direction,
//! and a name of its own for each thing.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

const CRATES: [&str; 7] = ["core", "timeout", "classify", "retry", "breaker", "failover", "throttle"];
const MOST_LINES: usize = 250;

/// What each module builds on.
type Edges<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// The source of a crate, by its modules: `a::b` is `src/a/b.rs`, and the crate's root has no name.
fn modules(name: &str) -> BTreeMap<String, String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../crates/trysail-{name}/src"));
    let name = |path: &Path| {
        let inside = path.strip_prefix(&src).expect("it was found there").with_extension("");
        inside.to_str().expect("a name in ASCII").replace('/', "::")
    };
    let root = |name: String| if name == "lib" { String::new() } else { name };
    files(&src).into_iter().map(|path| (root(name(&path)), fs::read_to_string(&path).expect("a source"))).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of sources").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// What `source` says without its comments, and without the tests at its end.
fn code(source: &str) -> String {
    let source = source.split("\n#[cfg(test)]").next().unwrap_or_default();
    let source = source.split("\n#[cfg(all(test").next().unwrap_or_default();
    source.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The paths that a `use` takes in: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn flat(tree: &str) -> Vec<String> {
    let Some((before, rest)) = tree.split_once('{') else { return vec![tree.trim().to_owned()] };
    let inside = &rest[..rest.rfind('}').expect("a brace that closes")];
    let mut depth = 0;
    let branches = inside.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    let branches: Vec<_> = branches.map(str::trim).filter(|branch| !branch.is_empty()).collect();
    branches.into_iter().flat_map(flat).map(|path| before.trim().to_owned() + &path).collect()
}

fn uses(code: &str) -> Vec<String> {
    let begins =
        |line: &str| ["use ", "pub use ", "pub(crate) use "].iter().any(|word| line.trim_start().starts_with(word));
    let lines: Vec<_> = code.lines().collect();
    let statements = (0..lines.len()).filter(|line| begins(lines[*line])).map(|line| lines[line..].join(" "));
    let trees = statements.filter_map(|rest| Some(rest.split_once("use ")?.1.split_once(';')?.0.to_owned()));
    trees.flat_map(|tree| flat(&tree)).collect()
}

/// Which modules of its own crate each module builds on. Its children are among them: it is made of them.
fn builds_on(modules: &BTreeMap<String, String>) -> Edges<'_> {
    let exports: BTreeMap<_, _> = uses(&code(&modules[""]))
        .into_iter()
        .filter_map(|path| {
            let path = path.strip_prefix("crate::")?;
            let (module, name) = path.rsplit_once("::")?;
            Some((name.to_owned(), module.to_owned()))
        })
        .collect();
    // The module that the longest beginning of a path names, or the one that what the root exports comes from.
    let target = |path: &str| {
        let mut path = path.to_owned();
        if let Some(module) = exports.get(path.split("::").next().unwrap_or_default()) {
            path.clone_from(module);
        }
        loop {
            if let Some((module, _)) = modules.get_key_value(&path) {
                return Some(module.as_str()).filter(|module| !module.is_empty());
            }
            path.truncate(path.rfind("::")?);
        }
    };
    let edges = |(module, source): (&'_ String, &String)| {
        let code = code(source);
        let paths = uses(&code).into_iter().map(|path| {
            let child = |rest: &str| format!("crate::{module}::{rest}");
            path.strip_prefix("self::").map_or_else(|| path.clone(), child)
        });
        // A group is one of `paths`.
        let inline = code.split("crate::").skip(1).filter_map(|rest| {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || "_:".contains(c))).unwrap_or(rest.len());
            (!rest[end..].starts_with('{')).then(|| format!("crate::{}", rest[..end].trim_end_matches(':')))
        });
        let imports: BTreeSet<_> = paths.chain(inline.collect::<Vec<_>>()).collect();
        let imports = imports.iter().filter_map(|path| target(path.strip_prefix("crate::")?));
        let children =
            modules.keys().filter(|child| child.rsplit_once("::").is_some_and(|(parent, _)| parent == module));
        let children = children.filter(|child| code.contains(&format!("mod {};", &child[module.len() + 2..])));
        imports.chain(children.map(String::as_str)).filter(|other| *other != module.as_str()).collect::<BTreeSet<_>>()
    };
    modules
        .iter()
        .filter(|(module, _)| !module.is_empty())
        .map(|(module, source)| (module.as_str(), edges((module, source))))
        .collect()
}

/// What is left of the modules once those are taken away, again and again, that build on nothing left.
fn in_circles(mut edges: Edges<'_>) -> Edges<'_> {
    loop {
        let left: BTreeSet<_> = edges.keys().copied().collect();
        edges.values_mut().for_each(|others| others.retain(|other| left.contains(other)));
        let before = edges.len();
        edges.retain(|_, others| !others.is_empty());
        if edges.len() == before {
            return edges;
        }
    }
}

#[test]
fn no_module_of_a_layer_builds_on_itself_by_way_of_others() {
    for name in CRATES {
        let modules = modules(name);
        let edges = builds_on(&modules);
        assert!(edges.values().any(|others| !others.is_empty()), "{name}: imports are found");
        let circles = in_circles(edges);
        assert!(circles.is_empty(), "{name}: {circles:#?}");
    }
}

#[test]
fn no_file_of_a_layer_is_too_long_to_be_read_at_once() {
    for name in CRATES {
        for (module, source) in modules(name) {
            let lines = source.lines().count();
            assert!(lines <= MOST_LINES, "{name}::{module} has {lines} lines");
        }
    }
}

#[test]
fn no_two_types_of_the_layers_share_a_name() {
    let mut places = BTreeMap::<String, Vec<String>>::new();
    for name in CRATES {
        for (module, source) in modules(name) {
            for line in code(&source).lines() {
                let words: Vec<_> =
                    line.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).collect();
                let kind = words.iter().position(|word| ["struct", "enum", "trait", "union"].contains(word));
                if let Some(kind) =
                    kind.filter(|kind| words[..*kind].iter().all(|word| ["pub", "crate", "super"].contains(word)))
                {
                    places.entry(words[kind + 1].to_owned()).or_default().push(format!("{name}::{module}"));
                }
            }
        }
    }
    assert!(places.contains_key("Timeout") && places.contains_key("Circuit"), "types are found");
    // By the convention of tower, the future of every service is called that.
    places.remove("ResponseFuture");
    places.retain(|_, places| places.len() > 1);
    assert!(places.is_empty(), "{places:#?}");
}

#[test]
fn a_circle_is_found_through_exports_children_and_paths() {
    let circle = |sources: [(&str, &str); 3]| {
        let modules = sources.map(|(name, source)| (name.to_owned(), source.to_owned())).into();
        in_circles(builds_on(&modules)).into_keys().map(str::to_owned).collect::<Vec<_>>()
    };
    let root = ("", "mod a;\nmod b;\n\npub use crate::{\n    a::A,\n    b::{B, C},\n};\n");
    assert_eq!(circle([root, ("a", "use crate::{b::d, x};\n"), ("b", "use std::fmt;\n")]), [""; 0]);
    assert_eq!(circle([root, ("a", "use crate::{C, x};\n"), ("b", "use crate::a::e;\n")]), ["a", "b"]);
    assert_eq!(circle([root, ("a", "fn f(_: crate::B) {}\n"), ("b", "pub use crate::A;\n")]), ["a", "b"]);
    assert_eq!(circle([root, ("a", "mod c;\n"), ("a::c", "use crate::A;\n")]), ["a", "a::c"]);
    assert_eq!(circle([root, ("a", "use self::c::F;\n"), ("a::c", "use crate::a::E;\n")]), ["a", "a::c"]);
    assert_eq!(
        circle([root, ("a", "// use crate::B;\n"), ("b", "#[cfg(test)]\nuse crate::A;\n\n#[cfg(test)]\nmod t;\n")]),
        [""; 0]
    );
}
