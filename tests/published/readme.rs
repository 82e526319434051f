use std::{collections::BTreeMap, fs};

use cargo_metadata::Package;

/// The page of a crate, as far as it is no code.
pub(super) struct Readme {
    prose: String,
}

impl Readme {
    pub(super) fn of(package: &Package) -> Self {
        let file = package.readme.as_ref().unwrap_or_else(|| panic!("{} has no README", package.name));
        let text = fs::read_to_string(package.manifest_path.with_file_name(file)).expect("it can be read");
        Self::new(&text)
    }

    fn new(text: &str) -> Self {
        // Every second piece is the inside of a block.
        let outside = text.split("\n```").enumerate().filter(|(at, _)| at % 2 == 0);
        Self { prose: outside.map(|(_, piece)| piece).collect::<Vec<_>>().join("\n") }
    }

    /// Where all links and pictures lead.
    pub(super) fn links(&self) -> Vec<&str> {
        let inline = self.prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let autolinks = self.prose.split('<').skip(1).filter_map(|rest| rest.split('>').next());
        let autolinks = autolinks.filter(|link| link.contains("://"));
        inline.chain(autolinks).chain(self.definitions().map(|(_, target)| target)).collect()
    }

    fn definitions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.prose.lines().filter_map(|line| line.strip_prefix('[')?.split_once("]: "))
    }

    /// What stands in brackets and is nowhere defined: a link in rustdoc at best.
    pub(super) fn undefined(&self) -> Vec<&str> {
        let defined: Vec<_> = self.definitions().map(|(name, _)| name).collect();
        let mut undefined = Vec::new();
        for (at, _) in self.prose.match_indices('[') {
            // Code may hold brackets, and what is in brackets may be code.
            let in_code = self.prose[..at].matches('`').count() % 2 == 1;
            let Some((name, after)) = self.prose[at + 1..].split_once(']') else { continue };
            let told = after.starts_with(['(', ':']) || name.starts_with('!') || defined.contains(&name);
            if !in_code && !told {
                undefined.push(name);
            }
        }
        undefined
    }

    /// Which features the page lists, and whether it says that they are on by default.
    pub(super) fn features(&self) -> BTreeMap<String, bool> {
        let lines = self.prose.lines().skip_while(|line| !line.starts_with("| feature")).skip(2);
        let rows = lines.take_while(|line| line.starts_with('|'));
        let cells = rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>());
        let features = cells.flat_map(|cells| {
            let names = cells[0].split(", ").map(|name| name.trim_matches('`').to_owned());
            names.map(|name| (name, cells[1] == "yes")).collect::<Vec<_>>()
        });
        features.collect()
    }
}

#[test]
fn a_link_is_found_however_it_is_written() {
    let page = Readme::new(
        "[![a](https://a)](b/c) and [`D`], [e], `[no]`, [f](crate::F), <https://g>\n```\n[x](y)\n```\n[e]: docs/e.md\n",
    );
    assert_eq!(page.links(), ["https://a", "b/c", "crate::F", "https://g", "docs/e.md"]);
    assert_eq!(page.undefined(), ["`D`"]);
}
