//! What README and docs/ show, joined as readers do: each sample around and inside each other, against a server that
//! fails once, and one that fails for ever.

mod cookbook;
mod orders;
mod text;

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tokio::task::JoinSet;
use tower::{BoxError, Layer, Service, ServiceExt, service_fn};
use trysail::{Class, Classified, EmbedRequest, Embeddings, embeddings::Family, report};
use trysail_testkit::{
    EmbeddingServer,
    server::{MODEL, Running},
};

use self::text::{AROUND, Around, Http, Typed};

/// What stands there in place of what a reader has to fill in.
const FILLED_IN: &[(&str, &str)] = &[
    (r#""https://api.openai.com/v1""#, "&server.url()"),
    (r#".key_from_env("OPENAI_API_KEY")"#, r#".key("sk-test")"#),
    (r#"EmbedRequest::new("text-embedding-3-small""#, r#"EmbedRequest::new("potion-base-2M""#),
];

/// Without what a formatter changes.
fn words(text: &str) -> String {
    let text: String = text.split_whitespace().collect();
    text.replace(",)", ")").replace(",}", "}")
}

/// Whether the line is one of the `main` around a program.
fn is_frame(line: &str) -> bool {
    line.starts_with("#[tokio::main]") || line.starts_with("async fn main()") || ["    Ok(())", "}"].contains(&line)
}

/// The visible code of all samples in `page`, but for what they import.
fn shown(page: &str) -> String {
    let mut code = String::new();
    let (mut inside, mut program, mut importing) = (false, false, false);
    for line in page.lines() {
        if line.starts_with("```") {
            (inside, program) = (line.starts_with("```rust"), line == "```rust,no_run");
        } else if inside && !line.starts_with("# ") && line != "#" && !(program && is_frame(line)) {
            importing |= line.starts_with("use ");
            if !importing {
                code.push_str(line);
                code.push('\n');
            }
            importing &= !line.ends_with(';');
        }
    }
    FILLED_IN.iter().fold(code, |code, (shown, here)| code.replace(shown, here))
}

/// Where the samples are, in the order in which a page shows them.
const COMPILED: [&str; 3] = [include_str!("cookbook.rs"), include_str!("orders.rs"), include_str!("text.rs")];

/// The samples that are compiled here, by their pages.
fn compiled() -> BTreeMap<&'static str, String> {
    let mut pages = BTreeMap::<_, String>::new();
    let mut page = None;
    for line in COMPILED.into_iter().flat_map(str::lines) {
        match line.trim() {
            "// end" => page = None,
            line if line.starts_with("// sample ") => page = Some(&line["// sample ".len()..]),
            line => {
                if let Some(page) = page {
                    *pages.entry(page).or_default() += &format!("{line}\n");
                }
            }
        }
    }
    pages
}

#[test]
fn every_sample_of_the_manual_is_compiled_here_word_for_word() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a folder of the workspace");
    let docs = fs::read_dir(root.join("docs")).expect("the manual is there");
    let docs = docs.map(|page| format!("docs/{}", page.expect("it can be listed").file_name().display()));
    let compiled = compiled();
    for page in docs.filter(|page| page.ends_with(".md")).chain(["README.md".to_owned()]) {
        let shown = shown(&fs::read_to_string(root.join(&page)).expect("it can be read"));
        let here = compiled.get(&*page).map_or("", String::as_str);
        assert_eq!(words(&shown), words(here), "{page} shows\n{shown}\nand here is\n{here}");
    }
}

#[tokio::test]
async fn the_first_program_gets_its_vectors() -> Result<(), BoxError> {
    let server = EmbeddingServer::new().model("text-embedding-3-small").bind().await?;
    text::first(&server).await?;
    assert_eq!(server.stats().requests, 1);
    Ok(())
}

/// What the README says is shown by a test, is.
#[test]
fn every_test_that_the_readme_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a folder of the workspace");
    let readme = fs::read_to_string(root.join("README.md")).expect("it can be read");
    let mut tests = String::new();
    let mut folders = vec![root.join("crates"), root.join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("it is there").map(|entry| entry.expect("it can be listed").path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|end| end == "rs") {
                tests += &fs::read_to_string(entry).expect("it can be read");
            }
        }
    }
    let rows = readme.lines().filter(|line| line.starts_with("| "));
    let named = rows.filter_map(|row| row.trim_end_matches(" |").rsplit_once("| `")?.1.strip_suffix('`'));
    let named: Vec<_> = named.filter(|name| name.matches('_').count() > 2).collect();
    assert!(named.len() > 5);
    for name in named {
        assert!(tests.contains(&format!("fn {name}()")), "there is no test {name}");
    }
}

/// A server whose first request fails, and no other.
async fn fails_once() -> Result<Running, BoxError> {
    Ok(EmbeddingServer::new().faults("503#1".parse()?).bind().await?)
}

async fn fails_for_ever() -> Result<Running, BoxError> {
    Ok(EmbeddingServer::new().faults("503:100".parse()?).bind().await?)
}

/// The services for HTTP that the manual shows, in and around each other; whether one of them retries.
fn https() -> Vec<(String, bool, Http)> {
    let stacks =
        [("bare", false, text::bare()), ("bare too", false, text::bare_too()), ("stack", true, text::the_stack())];
    let joined = stacks.into_iter().flat_map(|(name, retries, http)| {
        AROUND.map(|around| {
            (format!("{around:?} over {name}"), retries || !around.is_nothing(), around.layer(http.clone()))
        })
    });
    joined.collect()
}

/// The typed services that the manual shows, over all of those.
fn typed(server: &Running) -> Result<Vec<(String, Typed)>, BoxError> {
    let mut all = Vec::new();
    for (name, retries, http) in https() {
        let endpoint = text::endpoint(server)?;
        let [above, below] = text::above_and_below(http.clone(), endpoint.clone());
        let mut found = vec![("preset over", text::typed(http.clone(), server)?), ("above", above), ("below", below)];
        found.push(("throttle over", text::paced(http.clone(), endpoint.clone())));
        if retries {
            found.push(("Embeddings over", Embeddings::new(http, endpoint).boxed_clone()));
        }
        for (how, typed) in found {
            all.extend(AROUND.map(|around| {
                let service = text::by_request().0.layer(around.layer(typed.clone()));
                (format!("{around:?} over {how} {name}"), service.boxed_clone())
            }));
        }
    }
    Ok(all)
}

impl Around {
    fn is_nothing(self) -> bool {
        matches!(self, Self::Nothing)
    }
}

#[tokio::test]
async fn any_two_samples_joined_ask_a_server_that_fails_once_once_more() -> Result<(), BoxError> {
    let mut joined = JoinSet::new();
    for at in 0..typed(&fails_once().await?)?.len() {
        joined.spawn(async move {
            let server = fails_once().await?;
            let (name, service) = typed(&server)?.swap_remove(at);
            text::ask(service).await.map_err(|error| format!("{name}: {error}"))?;
            assert_eq!(server.stats().requests, 2, "{name}");
            Ok::<_, BoxError>(())
        });
    }
    while let Some(outcome) = joined.join_next().await {
        outcome??;
    }
    Ok(())
}

#[tokio::test]
async fn any_two_samples_joined_ask_four_times_in_all() -> Result<(), BoxError> {
    let mut joined = JoinSet::new();
    for at in 0..typed(&fails_for_ever().await?)?.len() {
        joined.spawn(async move {
            let server = fails_for_ever().await?;
            let (name, service) = typed(&server)?.swap_remove(at);
            let call = service.oneshot(EmbedRequest::new("potion-base-2M", ["a fair wind"]));
            let (outcome, report) = report(call).await;
            assert_eq!(outcome.expect_err("it fails").status().map(|status| status.as_u16()), Some(503), "{name}");
            assert_eq!((server.stats().requests, report.attempts()), (4, 4), "{name}: {report:?}");
            Ok::<_, BoxError>(())
        });
    }
    while let Some(outcome) = joined.join_next().await {
        outcome??;
    }
    Ok(())
}

#[tokio::test]
async fn http_samples_joined_do_the_same() -> Result<(), BoxError> {
    for (name, _, http) in https().into_iter().filter(|(_, retries, _)| *retries) {
        for (server, attempts) in [(fails_once().await?, 2), (fails_for_ever().await?, 4)] {
            let (_, own, mut request) = text::by_request();
            *request.method_mut() = http::Method::POST;
            *request.uri_mut() = format!("{}/embeddings", server.url()).parse()?;
            request.headers_mut().insert("content-type", "application/json".parse()?);
            *request.body_mut() = Bytes::from_static(br#"{"model":"potion-base-2M","input":"fair wind"}"#).into();
            let outcome = own.layer(http.clone()).ready().await?.call(request).await;
            assert_eq!(server.stats().requests, attempts, "{name}");
            match outcome {
                Ok(answer) => assert!(attempts == 2 && answer.body().starts_with(b"{"), "{name}"),
                Err(error) => assert!(attempts == 4 && error.verdict().class() == Class::Transient, "{name}: {error}"),
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_list_of_servers_asks_the_one_that_fails_for_ever_once_and_the_other_for_its_fingerprint()
-> Result<(), BoxError> {
    let [first, second] = [fails_for_ever().await?, EmbeddingServer::new().bind().await?];
    let endpoints = [text::endpoint(&first)?, text::endpoint(&second)?];
    let lone = Embeddings::new(text::bare(), endpoints[1].clone());
    let fingerprint = Family::new(MODEL, 64).fingerprint("a probe", lone).await?;
    text::ask(text::list(endpoints, fingerprint)).await?;
    assert_eq!((first.stats().requests, second.stats().requests), (1, 3), "taken, answered, compared");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn samples_that_hand_on_the_answer_ask_four_times_and_have_it() -> Result<(), BoxError> {
    for which in 0..2 {
        let asked = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&asked);
        let later = service_fn(move |_| {
            counted.fetch_add(1, Relaxed);
            let mut answer = Response::new(Full::new(Bytes::from_static(b"later")));
            *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            async { Ok(answer) }
        });
        let (later, request) = (later.boxed_clone(), Request::get("http://localhost/").body(Full::default())?);
        match which {
            0 => text::answered(later, request).await?,
            _ => text::judged_above(later, request).await?,
        }
        assert_eq!(asked.load(Relaxed), 4);
    }
    Ok(())
}
