//! Both loops under the same server: how often each is right, in time, and wrong without a word.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use tokio::{
    runtime::Builder,
    task::JoinSet,
    time::{Instant, sleep},
};
use tower::Layer;
use trysail::{HttpClient, HttpLayer};

use crate::{
    DataSet, Limits, Search, by_hand,
    demo::{self, Demo},
};

/// What came of one job in one loop.
#[derive(Clone, Debug)]
pub struct Row {
    /// What was to be done.
    pub job: Job,
    /// Who did it.
    pub by: By,
    /// How many answers were right, and in time: within 5 s for a query.
    pub right: usize,
    /// How many were right, and too late.
    pub late: usize,
    /// How many were wrong, and nobody was told.
    pub wrong: usize,
    /// How many panicked.
    pub panicked: usize,
    /// How many there were none of, by the reason.
    pub failed: BTreeMap<String, usize>,
    /// How long the slowest query took, or all of an ingest.
    pub slowest: Duration,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are their names")]
pub enum Job {
    Dense,
    Sparse,
    Rerank,
    Ingest,
}

/// Whose loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are their names")]
pub enum By {
    Hand,
    Trysail,
}

/// A row for each job and loop; `Display` is what people read.
#[derive(Clone, Debug)]
pub struct Table(pub Vec<Row>);

enum Outcome {
    Right,
    Wrong,
    Failed(String),
}

/// Asks a server that fails `percent` of all requests, in virtual time.
///
/// # Panics
///
/// If there can be no runtime.
pub fn compare(percent: u64, seed: u64) -> Table {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime without threads and sockets needs nothing");
    let jobs = [Job::Dense, Job::Sparse, Job::Rerank, Job::Ingest];
    let rows = jobs.into_iter().flat_map(|job| [(job, By::Hand), (job, By::Trysail)]);
    // To each its own server, so that none has the luck of another.
    let rows = rows.map(|(job, by)| runtime.block_on(row(job, by, Arc::new(Both::new(demo::server(percent, seed))))));
    Table(rows.collect())
}

async fn row(job: Job, by: By, both: Arc<Both>) -> Row {
    let mut row =
        Row { job, by, right: 0, late: 0, wrong: 0, panicked: 0, failed: BTreeMap::new(), slowest: Duration::ZERO };
    let mut calls = JoinSet::new();
    let count = if job == Job::Ingest { 1 } else { QUERIES };
    for nth in 0..count {
        let both = Arc::clone(&both);
        calls.spawn(async move {
            sleep(BETWEEN * nth).await;
            let start = Instant::now();
            let outcomes = both.ask(job, by, format!("what of storm {nth}")).await;
            (outcomes, start.elapsed())
        });
    }
    while let Some(call) = calls.join_next().await {
        let Ok((outcomes, took)) = call else {
            row.panicked += 1;
            continue;
        };
        row.slowest = row.slowest.max(took);
        for outcome in outcomes {
            match outcome {
                Outcome::Right if job == Job::Ingest || took <= IN_TIME => row.right += 1,
                Outcome::Right => row.late += 1,
                Outcome::Wrong => row.wrong += 1,
                Outcome::Failed(why) => {
                    // Which of the texts it was is not the reason.
                    let why = why.split(|c: char| c.is_ascii_digit()).filter(|part| !part.is_empty());
                    *row.failed.entry(why.collect::<Vec<_>>().join("#")).or_default() += 1;
                }
            }
        }
    }
    row
}

/// Both loops, and what they are given.
struct Both {
    hand: Demo,
    search: Search<HttpClient<Demo>>,
    set: DataSet,
}

impl Both {
    fn new(server: Demo) -> Self {
        let search = Search::new(HttpLayer::new().layer(server.clone()), &Limits::default());
        Self { hand: server, search, set: demo::data_set("http://demo") }
    }

    async fn ask(&self, job: Job, by: By, query: String) -> Vec<Outcome> {
        let Self { hand, search, set } = self;
        let text = [query];
        let query = &*text[0];
        vec![match (job, by) {
            (Job::Dense, By::Hand) => judge(first(by_hand::dense(hand, &text).await), &demo::dense(query)),
            (Job::Dense, By::Trysail) => judge(search.dense(set, query).await, &demo::dense(query)),
            (Job::Sparse, By::Hand) => judge(first(by_hand::sparse(hand, &text).await), &demo::sparse(query)),
            (Job::Sparse, By::Trysail) => judge(search.sparse(set, query).await, &demo::sparse(query)),
            (Job::Rerank, By::Hand) => judge(by_hand::rank(hand, query, &found()).await, &ranked(query)),
            (Job::Rerank, By::Trysail) => match search.rank(set, query, found(), None).await {
                Ok(ranking) if ranking.missing.is_empty() => {
                    let indices = ranking.answer.ranks().iter().map(|rank| rank.index()).collect();
                    judge(Ok::<_, String>(indices), &ranked(query))
                }
                Ok(ranking) => Outcome::Failed(ranking.missing[0].to_string()),
                Err(error) => Outcome::Failed(error.to_string()),
            },
            (Job::Ingest, By::Hand) => return self.ingest_by_hand().await,
            (Job::Ingest, By::Trysail) => return self.ingest().await,
        }]
    }

    async fn ingest_by_hand(&self) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for texts in documents().chunks(30) {
            let dense = by_hand::dense(&self.hand, texts).await;
            let sparse = by_hand::sparse(&self.hand, texts).await;
            outcomes.extend(texts.iter().enumerate().map(|(at, text)| match (&dense, &sparse) {
                (Ok(dense), Ok(sparse)) => {
                    let right =
                        dense.get(at) == Some(&demo::dense(text)) && sparse.get(at) == Some(&demo::sparse(text));
                    if right { Outcome::Right } else { Outcome::Wrong }
                }
                (Err(why), _) | (_, Err(why)) => Outcome::Failed(why.clone()),
            }));
        }
        outcomes
    }

    async fn ingest(&self) -> Vec<Outcome> {
        let texts = documents();
        match self.search.ingest(&self.set, &texts).await {
            Ok(all) => all
                .into_iter()
                .zip(&texts)
                .map(|(found, text)| {
                    let found = found.map(|found| (found.dense, found.sparse));
                    judge(found, &(demo::dense(text), demo::sparse(text)))
                })
                .collect(),
            Err(error) => vec![Outcome::Failed(error.to_string())],
        }
    }
}

impl Row {
    /// How many answers were wanted.
    pub fn wanted(&self) -> usize {
        self.right + self.late + self.wrong + self.panicked + self.failed.values().sum::<usize>()
    }

    /// How many of them were right, and in time: 1 is all.
    pub fn share(&self) -> f64 {
        self.right as f64 / self.wanted() as f64
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| job | loop | wanted | right | in time | late | wrong, untold | failed | slowest |")?;
        writeln!(f, "|---|---|---|---|---|---|---|---|---|")?;
        for row in &self.0 {
            let Row { job, by, right, late, wrong, failed, slowest, .. } = row;
            let (wanted, share, failed) = (row.wanted(), 100.0 * row.share(), failed.values().sum::<usize>());
            writeln!(
                f,
                "| {job:?} | {by:?} | {wanted} | {right} | {share:.1} % | {late} | {wrong} | {failed} | {:.1} s |",
                slowest.as_secs_f64()
            )?;
        }
        for Row { job, by, failed, .. } in &self.0 {
            for (why, count) in failed {
                write!(f, "\n{job:?} by {by:?}: {count} x {why}")?;
            }
        }
        Ok(())
    }
}

fn judge<T: PartialEq>(found: Result<T, impl fmt::Display>, truth: &T) -> Outcome {
    match found {
        Ok(found) if found == *truth => Outcome::Right,
        Ok(_) => Outcome::Wrong,
        Err(why) => Outcome::Failed(why.to_string()),
    }
}

fn first<T>(vectors: Result<Vec<T>, String>) -> Result<T, String> {
    vectors?.into_iter().next().ok_or_else(|| "an empty answer".to_owned())
}

/// What a search has found, and is to be put in order.
fn found() -> Vec<String> {
    (0..20).map(|n| format!("a log of voyage {n}")).collect()
}

fn ranked(query: &str) -> Vec<usize> {
    let texts = found();
    let mut indices: Vec<_> = (0..texts.len()).collect();
    indices.sort_by(|one, other| demo::score(query, &texts[*other]).total_cmp(&demo::score(query, &texts[*one])));
    indices
}

fn documents() -> Vec<String> {
    (0..DOCUMENTS).map(|n| format!("page {n} of the log")).collect()
}

/// Within that, an answer is of use.
const IN_TIME: Duration = Duration::from_secs(5);
const QUERIES: u32 = 1_000;
const BETWEEN: Duration = Duration::from_millis(50);
const DOCUMENTS: usize = 3_000;
