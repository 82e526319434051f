//! `docs/classes.md`, as the tables say it; and that the tables are in order.

use std::{collections::HashSet, env, fmt::Write, fs, path::Path, time::Duration};

use http::StatusCode;
use trysail_core::{Elapsed, Health, Remedy, Retryable, Scope, Verdict};
use trysail_http::{ByStatus, grpc, respond, respond_to};

use super::{COMMON, FAMILIES, Rows};
use crate::{
    answer::Flaw,
    caller,
    row::{Row, Sign},
};

#[test]
fn the_page_says_what_the_tables_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/classes.md");
    let page = page();
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, &page).expect("docs/classes.md can be written");
    }
    let written = fs::read_to_string(&path).expect("docs/classes.md is there");
    assert!(written == page, "docs/classes.md is out of date: run `UPDATE=1 cargo test -p trysail-providers the_page`");
}

#[test]
fn each_row_can_be_reached() {
    let mut seen = Vec::<&Row>::new();
    for row in super::rows(None) {
        let plain = row.phrases().is_empty() && row.statuses().is_empty();
        let earlier = seen.iter().find(|earlier| {
            earlier.phrases().is_empty()
                && earlier.statuses().is_empty()
                && earlier.sign() == row.sign()
                && (row.sign() != Sign::Number || earlier.family() == row.family())
                && earlier.word() == row.word()
        });
        // A family may say what is common, for the name of it.
        let earlier = earlier.filter(|earlier| {
            let common = COMMON.iter().any(|(_, rows)| rows.iter().any(|common| common.name() == row.name()));
            !common || earlier.verdict() != row.verdict()
        });
        let coded = matches!(row.sign(), Sign::Number | Sign::Code | Sign::Vague | Sign::Status);
        assert!(!coded || earlier.is_none(), "{} is hidden by {}", row.name(), earlier.map_or("", |row| row.name()));
        let speaks = !row.phrases().is_empty() || !row.words().is_empty() || !row.groups().is_empty();
        assert!(coded || speaks, "{} has no phrase", row.name());
        if plain {
            seen.push(row);
        }
    }
}

#[test]
fn names_and_phrases_are_well_formed() {
    let mut phrases = HashSet::new();
    for row in super::rows(None) {
        let (family, word) = row.name().split_once('/').expect("a name has a family");
        assert!(!family.is_empty() && !word.is_empty());
        if matches!(row.sign(), Sign::Number | Sign::Status) {
            assert!(word.parse::<u32>().is_ok(), "{}", row.name());
        }
        for phrase in row.phrases().iter().chain(row.words()).chain(row.groups().iter().copied().flatten()) {
            assert!(!phrase.trim().is_empty(), "{}", row.name());
            assert_eq!(*phrase, phrase.to_lowercase(), "{}", row.name());
            // A number alone means another thing wherever it is met.
            assert!(phrase.chars().any(char::is_alphabetic) || row.groups().len() > 1, "{}", row.name());
            phrases.insert((row.name(), *phrase));
        }
    }
    assert!(phrases.len() > 100);
}

fn page() -> String {
    let list = |statuses: &[u16]| statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    let head = HEAD.replace("{credentials}", &list(caller::CREDENTIALS)).replace("{request}", &list(caller::REQUEST));
    let mut page = head;
    page.push_str("\n## Servers\n");
    for (provider, rows) in FAMILIES {
        let _ = write!(page, "\n### {provider:?}\n\n{TABLE}");
        family(&mut page, rows);
    }
    page.push_str("\n## All of them, and what stands before them\n");
    for (title, rows) in COMMON {
        let _ = write!(page, "\n### {title}\n\n{TABLE}");
        family(&mut page, rows);
    }
    statuses(&mut page);
    page.push_str(OTHERWISE);
    page.push_str(ANSWERS);
    for flaw in Flaw::ALL {
        let _ = writeln!(page, "| `{}` {}", flaw.rule(), axes(flaw.verdict()));
    }
    page.push_str(RESPOND);
    let _ = writeln!(
        page,
        "| a time limit of one's own, whatever its class | {} |",
        respond_to(&Elapsed::new(Scope::Overall, Duration::ZERO), false, ()).status().as_u16()
    );
    for verdict in VERDICTS {
        let _ = writeln!(page, "| `{}` | {} |", verdict.class(), respond(*verdict, false, ()).status().as_u16());
    }
    page.push_str(GRPC);
    for (code, (name, verdict)) in grpc::CODES.iter().enumerate() {
        let _ = writeln!(page, "| {code} `{name}` {}", axes(*verdict));
    }
    page
}

/// The table of `ByStatus`; neighbours that mean the same share a line.
fn statuses(page: &mut String) {
    let _ = write!(page, "\n### Status\n\n{TABLE}");
    let known = (100..1_000).filter_map(|status| {
        let rule = ByStatus::new().rule(StatusCode::from_u16(status).expect("a status"));
        rule.is_listed().then(|| (status, rule.verdict()))
    });
    let known = known.collect::<Vec<_>>();
    for alike in known.chunk_by(|(_, before), (_, after)| before == after) {
        let words = alike.iter().map(|(status, _)| format!("`{status}`")).collect::<Vec<_>>().join(", ");
        let _ = writeln!(page, "| status {words} {}", axes(alike[0].1));
    }
}

/// Rows that differ only in their words share a line.
fn family(page: &mut String, rows: Rows) {
    let mut rest = rows;
    while let Some(first) = rest.first() {
        let alike = |row: &&Row| {
            let plain = |row: &Row| row.phrases().is_empty() && row.groups().is_empty();
            plain(row)
                && plain(first)
                && row.sign() == first.sign()
                && row.verdict() == first.verdict()
                && row.family() == first.family()
        };
        let count = rest.iter().take_while(alike).count().max(1);
        let words = rest[..count].iter().map(|row| format!("`{}`", row.word())).collect::<Vec<_>>().join(", ");
        let _ = writeln!(page, "| {} {}", what(first, &words), axes(first.verdict()));
        rest = &rest[count..];
    }
}

fn what(row: &Row, words: &str) -> String {
    let quoted = |words: &[&str]| words.iter().map(|word| format!("“{}”", word.trim())).collect::<Vec<_>>().join(", ");
    let groups = row.groups().iter().map(|words| quoted(words)).collect::<Vec<_>>().join(" beside ");
    let alone = if row.words().is_empty() { row.phrases() } else { row.words() };
    let said = if groups.is_empty() { quoted(alone) } else { groups };
    let numbers = row.statuses().iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    let on = if numbers.is_empty() { numbers } else { format!(" (with {numbers})") };
    let and = if said.is_empty() { String::new() } else { format!(" saying {said}") };
    match row.sign() {
        Sign::Number => format!("number {} {words}{and}", row.family()),
        Sign::Code | Sign::Vague => format!("code {words}{and}{on}"),
        Sign::Phrase => format!("{said}{on}"),
        Sign::Status => format!("status {words}"),
        Sign::Flight => format!("a spent quota, and {said}{on}"),
        Sign::Window => match row.verdict().window() {
            Some(window) => format!("throttled, and {said}: counted per {}", format!("{window:?}").to_lowercase()),
            None => format!("throttled, and {said}"),
        },
    }
}

fn axes(verdict: Verdict) -> String {
    let retry = match verdict.retry() {
        Retryable::No => "no",
        Retryable::Yes => "yes",
        Retryable::Unsent => "yes, free",
    };
    let health = match verdict.health() {
        Health::Success => "success",
        Health::Failure => "failure",
        Health::Neutral => "neutral",
    };
    let remedy = match verdict.remedy() {
        Some(Remedy::Split) => "split",
        Some(Remedy::Truncate) => "truncate",
        Some(Remedy::Reauth) => "reauth",
        Some(Remedy::Pay) => "pay",
        _ => "",
    };
    format!("| {} | {retry} | {health} | {remedy} |", verdict.class())
}

/// One of each class.
const VERDICTS: &[Verdict] = &[
    Verdict::SUCCESS,
    Verdict::TRANSIENT,
    Verdict::WARMING,
    Verdict::THROTTLED,
    Verdict::QUOTA_EXHAUSTED,
    Verdict::AUTH,
    Verdict::PERMANENT,
    Verdict::MALFORMED,
    Verdict::REFUSED,
];

const TABLE: &str = "| sign | class | retry | health | remedy |\n|---|---|---|---|---|\n";

const HEAD: &str = "\
# Classes

What `Providers` makes of an answer. This page is written by a test from the tables that decide; after a change to
them run `UPDATE=1 cargo test -p trysail-providers the_page`.

## How an answer is judged

The first of these that knows the answer decides; inside a step the order is that of this page.

1. A *number* in the shape of its family: `base_resp.status_code`, `error_code`, `errors[0].code`, …
2. A *code*: a machine's word in the body (code, type, status, reason, exception) or in `x-amzn-errortype`,
   `x-amzn-query-error`, `x-ms-error-code`, `cf-mitigated`. The innermost comes first, also from JSON inside a message.
   Case, `_`, `-`, a namespace and the endings `Error` and `Exception` do not matter.
3. A *phrase* of the server's own in the message, in lower case; `*` is anything, `^` the start. Words beside others
   count in one clause, outside of quotes, and from the beginning of a word.
4. A *vague* code, which says less than the message: a kind of step 2, asked later.
5. A status inside the body, if the answer is a 2xx, or a 400, 500, 502 or 503 around a more telling one.
6. The *status*.

A code or phrase for a trouble of the server's (transient, warming) does not revive a status that speaks of credentials
or money ({credentials}). One of everybody's does not revive a status that speaks of the request either
({request}): there only a
family's own counts, spelled as that family spells it. A phrase that names its statuses counts with them.

Whatever came out, short of `auth` and a spent quota: a refusal that says how much may be sent at once (`at most 32 items`,
`batch size 60 > maximum allowed batch size 32`, `max 300000 tokens per request`) is permanent, with the remedy `split`,
and `Judgement::limit` is the number; its rule is `generic/limit` where none above says `split`. What one input may hold
(`maximum context length is 8192 tokens`), and what is counted over time, is no such limit.

What came out as a spent quota is then throttled if the message names what runs at once, and what came out as throttled
is a spent quota if the message, a code or a quota id names a day, a week or a month. A second, a minute or an hour is the
verdict's `window`, by which a retry waits; in the head it is that of an empty bucket (`x-ratelimit-remaining-tokens-minute: 0`) or the
only `w=` in the policies. Last,
`x-should-retry: false` forbids a retry, and `true` allows one where the class is transient, throttled or unknown.
A page for people with a 404 is neutral: something in between answered.

| class | retry | health | what to do |
|---|---|---|---|
| `success` | | success | use it |
| `transient` | yes | failure | back off, at the hint if there is one |
| `warming` | yes | neutral | wait until the model is loaded |
| `throttled` | yes | neutral | wait for the hint, or back off |
| `quota_exhausted` | no | success | stop, tell someone |
| `auth` | no | success | get a credential |
| `permanent` | no | success | change the request |
| `malformed` | it depends | it depends | see the answers below |
| `refused` | no | neutral | nothing was sent, or nobody waits for it |
";

const OTHERWISE: &str = "
Any other 4xx or 3xx is permanent, any other 5xx transient. This table is that of `ByStatus` in `trysail-http`, which judges
a stream by its head alone.
";

const ANSWERS: &str = "
## Answers with a 2xx

Checked only if the request says what is `Expected`. One that holds an error is judged by the tables above. `Embeddings`,
`Sparse` and `Rerank` check theirs while they decode them, by the same names; of sparse vectors and scores there are also
`answer/token` (a token that is there twice or out of range), which is asked again, and `answer/no-scores`, which is not.

| flaw | class | retry | health | remedy |
|---|---|---|---|---|
";

const RESPOND: &str = "
## What a server answers its own callers

`respond_to` (an error) and `respond` (a verdict, which cannot tell a time limit). `retry-after` and `retry-after-ms` are
the verdict's hint. `x-should-retry: false` is sent where this side has used up its own retries, and where asking again is
useless.

| what became of the call | status |
|---|---|
";

const GRPC: &str = "
## gRPC

`trysail_http::grpc::verdict`. `grpc::judge` finds the code of a whole answer, in its head or its trailers; `grpc::code` is
the way back: `UNAVAILABLE` for what was refused or not reached, `DEADLINE_EXCEEDED` for a time limit of one's own.

| code | class | retry | health | remedy |
|---|---|---|---|---|
";
