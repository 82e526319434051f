//! `docs/defaults.md` against the code: each number is read there, and the code has to agree; or a test is named.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    future::pending,
    time::Duration,
};

use tokio::time::Instant;
use tower::{Layer, ServiceExt, service_fn};
use trysail::{
    Backoff, Batches, Budget, Chunks, CircuitSettings, Client, CollectLayer, EmbedRequest, Failure, Preset, Trip,
    Verdict, report,
    retry::{BudgetSettings, Jitter, RetrySettings},
    transport::CONNECT_TIMEOUT,
};

const MS: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3_600);
type Judged = Failure<(), std::io::Error>;

/// The rows of the page by their first cell, and which of them somebody has asked for.
struct Page {
    rows: BTreeMap<&'static str, Vec<&'static str>>,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl Page {
    fn read() -> Self {
        let lines = include_str!("../../docs/defaults.md").lines();
        let rows = lines.filter_map(|line| {
            let mut cells = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim);
            let name = cells.next().filter(|name| !["what", "flag"].contains(name) && !name.starts_with('-'))?;
            Some((name, cells.collect()))
        });
        let all: Vec<_> = rows.collect();
        let rows: BTreeMap<_, _> = all.iter().cloned().collect();
        assert_eq!(rows.len(), all.len(), "each row has a name of its own");
        Self { rows, asked: RefCell::default() }
    }

    fn cell(&self, name: &'static str, column: usize) -> &'static str {
        self.asked.borrow_mut().insert(name);
        self.rows.get(name).unwrap_or_else(|| panic!("the page has no row {name}"))[column]
    }

    fn default(&self, name: &'static str) -> &'static str {
        self.cell(name, 0)
    }

    fn number(&self, name: &'static str) -> f64 {
        number(self.default(name))
    }

    fn count(&self, name: &'static str) -> u32 {
        self.number(name) as u32
    }

    fn time(&self, name: &'static str) -> Duration {
        time(self.default(name))
    }
}

fn number(cell: &str) -> f64 {
    cell.parse().unwrap_or_else(|_| panic!("{cell} is no number"))
}

fn time(cell: &str) -> Duration {
    let (number, unit) = cell.split_once(' ').unwrap_or_else(|| panic!("{cell} is no time"));
    let unit = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "min" => 60.0,
        _ => panic!("{unit} is no unit of time"),
    };
    Duration::from_secs_f64(self::number(number) * unit)
}

/// What `of` shows of a field.
fn shown(of: &impl Debug, field: &str) -> String {
    let all = format!("{of:?}");
    let (_, value) = all.split_once(&format!("{field}: ")).unwrap_or_else(|| panic!("{all} has no {field}"));
    value[..value.find([',', ' ']).unwrap_or(value.len())].to_owned()
}

fn hanging() -> impl tower::Service<EmbedRequest, Response = (), Error = Judged, Future: Send> + Clone {
    service_fn(|_| pending::<Result<(), Judged>>())
}

fn request() -> EmbedRequest {
    EmbedRequest::new("model", ["text"])
}

/// After how long a call ends that nothing answers.
async fn ends(preset: &Preset) -> Duration {
    let began = Instant::now();
    preset.layer(hanging()).oneshot(request()).await.expect_err("nothing answers");
    began.elapsed()
}

/// How many retries a call makes to a server that fails every attempt.
async fn retries(preset: &Preset) -> u32 {
    let failing = service_fn(|_: EmbedRequest| async {
        Err::<(), _>(Judged::unanswered(Verdict::TRANSIENT, std::io::ErrorKind::ConnectionReset.into()))
    });
    report(preset.layer(failing).oneshot(request())).await.1.attempts() - 1
}

/// Whether a server that asks for so long a wait is waited for.
async fn waits(preset: &Preset, wait: Duration) -> bool {
    let busy = service_fn(move |_: EmbedRequest| async move {
        Err::<(), _>(Judged::unanswered(Verdict::THROTTLED.after(wait), std::io::ErrorKind::Other.into()))
    });
    report(preset.layer(busy).oneshot(request().deadline(trysail::Deadline::within(HOUR)))).await.1.attempts() > 1
}

#[tokio::test(start_paused = true)]
async fn the_numbers_of_the_page_are_those_of_the_code() {
    let page = Page::read();

    for (column, preset) in [Preset::interactive, Preset::bulk].into_iter().enumerate() {
        let says = |name| page.cell(name, column);
        assert_eq!(ends(&preset().attempt(HOUR)).await, time(says("overall timeout")));
        assert_eq!(ends(&preset().retries(0)).await, time(says("attempt timeout")));
        assert_eq!(f64::from(retries(&preset()).await), number(says("retries")));
        let settings = preset().retry_settings().get();
        assert_eq!(shown(&settings, "first"), says("first backoff").replace(' ', ""));
        let patience = time(says("patience with a `Retry-After`"));
        // Whoever asks for 10 minutes gets all of them, and a bulk call has no more.
        let fits = if column == 0 { patience } else { patience - 61_000 * MS };
        let preset = || preset().overall(patience + 60_000 * MS);
        assert!(waits(&preset(), fits).await && (column == 1 || !waits(&preset(), patience + MS).await));
        let budget = preset().budget().snapshot();
        assert_eq!((budget.retries, budget.capacity), (number(says("room of the retry budget")), budget.retries));
        let given_up =
            CircuitSettings::default().abandoned_after(time(says("given up counts after (`abandoned_after`)")));
        assert_eq!(preset().circuit().settings(), given_up);
    }
    let callers = page.cell("calls in flight that the budget allows for (`concurrency`)", 1).parse().expect("a number");
    assert_eq!(Preset::bulk().budget().settings(), BudgetSettings::default().closed_loop(callers));
    assert_eq!(page.default("an open circuit, an empty retry budget"), "fails fast");

    assert_eq!(page.time("connect timeout"), CONNECT_TIMEOUT);
    assert_eq!(shown(&Client::builder(), "connect_timeout"), page.default("connect timeout").replace(' ', ""));
    assert_eq!(shown(&CollectLayer::new(1), "idle"), page.default("silence inside a body (`idle`)").replace(' ', ""));

    let longest = page.time("longest backoff");
    let factor = page.count("factor of exponential backoff");
    let delays: Vec<_> = Backoff::exponential(MS * 100).jitter(Jitter::None).retries(20).into_iter().collect();
    assert!(delays.windows(2).all(|pair| pair[1] == (pair[0] * factor).min(longest)) && delays[19] == longest);
    assert_eq!(Backoff::exponential(MS).into_iter().len() as f64, page.number("retries of a `Backoff`"));
    assert_eq!(shown(&Backoff::exponential(MS), "jitter").to_lowercase(), page.default("jitter of a backoff"));
    let retry = RetrySettings::new([MS])
        .patience(page.time("patience (longest `Retry-After` that is waited for)"))
        .least(page.time("least time for an attempt"));
    assert_eq!(retry, RetrySettings::new([MS]));

    let ratio = page.number("retries earned by a success");
    assert_eq!(page.number("room, as a share of the calls of the last 10 s"), ratio);
    let budget = BudgetSettings::ratio(ratio)
        .floor(page.count("least room"))
        .ceiling(page.count("most room"))
        .costs(page.number("price of a retry"), page.number("price of a throttled retry"));
    assert_eq!(budget, BudgetSettings::default());
    assert_eq!(Budget::default().settings(), budget);

    let streak = page.count("opens after failures in a row");
    let trip = Trip::rate(page.number("or failure rate"))
        .calls(page.count("of calls"))
        .span(page.time("that span together"))
        .within(page.time("sliding window"))
        .or_streak(streak, page.time("that span"))
        .or_streak(page.count("or failures in a row at any speed"), Duration::ZERO);
    let circuit = CircuitSettings::new(trip)
        .open_time(page.time("first open time"), page.time("longest open time"))
        .most_hint(page.time("longest `Retry-After` that keeps it open"))
        .probes(page.count("probes at once, half-open"), page.count("successes that close it"));
    assert_eq!(circuit, CircuitSettings::default());

    let batches = Batches::of("m", ["a"]);
    assert_eq!(shown(&batches, "count"), page.default("texts in a batch"));
    assert_eq!(shown(&batches, "concurrency"), page.default("batches in flight"));
    let bytes = page.default("bytes in a batch").strip_suffix(" KiB").expect("KiB");
    assert_eq!(shown(&batches, "bytes").parse(), Ok(1_024 * number(bytes) as u64));

    assert_eq!(shown(&Chunks::of(()), "concurrency"), page.default("parts in flight"));

    // What the client does not show.
    let kept =
        format!("POOL_IDLE: Duration = Duration::from_secs({})", page.time("idle connections are kept").as_secs());
    assert!(include_str!("../../crates/trysail-http/src/client/builder.rs").contains(&kept));

    let asked = page.asked.into_inner();
    for (name, cells) in page.rows.iter().filter(|(name, _)| !asked.contains(*name) && !name.starts_with("`--")) {
        assert!(cells.last().is_some_and(|source| source.contains(".rs)")), "nothing shows: {name}");
    }
}
