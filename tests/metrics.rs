//! What is recorded of calls, and that the manual lists just that.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::pending,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use metrics_util::{
    MetricKind,
    debugging::{DebugValue, DebuggingRecorder},
};
use tokio::time::{self, timeout};
use tower::{Layer, Service, ServiceBuilder, ServiceExt};
use tracing_subscriber::fmt::format::FmtSpan;
use trysail::{
    BreakerLayer, Budget, Circuit, Circuits, Failure, Gauges, ObserveLayer, Pace, PaceSettings, Preset, Rate,
    RetryLayer, TimeoutLayer, Trip, Verdict, breaker::State, embeddings::Usage,
};
use trysail_testkit::{Pool, Scripted};

const SECOND: Duration = Duration::from_secs(1);
type Judged = Failure<&'static str, io::Error>;

fn failure(verdict: Verdict) -> Judged {
    Failure::unanswered(verdict, io::ErrorKind::ConnectionReset.into())
}

fn watch() -> ObserveLayer {
    ObserveLayer::new("localhost", "potion")
}

/// A metric, as the manual and the recorder both describe it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Described {
    name: String,
    kind: String,
    unit: String,
    labels: BTreeSet<String>,
    meaning: String,
}

/// What was recorded, under the name and the one label that is not the origin or the model.
#[derive(Debug)]
struct Recorded {
    metrics: BTreeSet<Described>,
    values: BTreeMap<String, Vec<f64>>,
}

impl Recorded {
    fn sum(&self, metric: &str) -> f64 {
        self.values.get(metric).map_or(0.0, |values| values.iter().sum())
    }
}

/// Runs `work` in paused time, with a recorder of its own.
fn record(work: impl Future<Output = ()>) -> Recorded {
    let recorder = DebuggingRecorder::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    metrics::with_local_recorder(&recorder, || runtime.expect("a runtime").block_on(work));
    let mut recorded = Recorded { metrics: BTreeSet::new(), values: BTreeMap::new() };
    for (key, unit, meaning, value) in recorder.snapshotter().snapshot().into_vec() {
        let (kind, key) = key.into_parts();
        let labels: BTreeMap<_, _> = key.labels().map(|label| (label.key(), label.value())).collect();
        assert_eq!((labels["origin"], labels["model"]), ("localhost", "potion"));
        let own = labels.iter().filter(|(name, _)| !["origin", "model"].contains(name));
        let own: Vec<_> = own.map(|(name, value)| format!("{{{name}={value}}}")).collect();
        let values = match value {
            DebugValue::Counter(count) => vec![count as f64],
            DebugValue::Gauge(value) => vec![value.0],
            DebugValue::Histogram(values) => values.into_iter().map(|value| value.0).collect(),
        };
        recorded.values.insert(format!("{}{}", key.name(), own.concat()), values);
        recorded.metrics.insert(Described {
            name: key.name().to_owned(),
            kind: match kind {
                MetricKind::Counter => "counter",
                MetricKind::Gauge => "gauge",
                MetricKind::Histogram => "histogram",
            }
            .to_owned(),
            unit: unit.map(|unit| unit.as_str().to_owned()).unwrap_or_default(),
            labels: labels.into_keys().filter(|name| !["origin", "model"].contains(name)).map(str::to_owned).collect(),
            meaning: meaning.map(|meaning| meaning.to_string()).unwrap_or_default(),
        });
    }
    recorded
}

/// A pace with both of its rates.
fn pace() -> Pace {
    Pace::new(PaceSettings::new().requests(Rate::per_second(10)).cost(Rate::per_second(20)))
}

/// A call that fails, is repeated, and succeeds in the end; one that fails for good; and one of each other kind.
async fn a_bit_of_everything() {
    let (preset, watch) = (Preset::interactive(), watch());
    let gauges = Gauges::new("localhost", "potion")
        .circuit(preset.circuit())
        .budget(preset.budget())
        .pace(&pace())
        .usage(&Usage::default());
    let service = |steps: Vec<Result<&'static str, Judged>>| {
        ServiceBuilder::new()
            .layer(&watch)
            .layer(RetryLayer::new([SECOND; 3]))
            .service(Scripted::<(), _, _>::new(steps))
    };
    service(vec![Err(failure(Verdict::TRANSIENT)), Ok("vector")]).oneshot(()).await.expect("the second answers");
    service(vec![Err(failure(Verdict::AUTH))]).oneshot(()).await.expect_err("it fails");
    gauges.publish();
}

#[test]
fn the_manual_lists_what_is_emitted_and_nothing_else() {
    let manual = include_str!("../docs/metrics.md");
    let rows = manual.lines().filter(|line| line.starts_with("| `trysail_"));
    let listed: BTreeSet<_> = rows
        .map(|row| {
            let cells: Vec<_> = row.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect();
            let [name, kind, unit, labels, meaning] = cells.try_into().expect("five columns");
            let labels =
                labels.split(',').map(str::trim).filter(|label| !label.is_empty()).map(str::to_owned).collect();
            Described { name, kind, unit, labels, meaning }
        })
        .collect();
    assert_eq!(record(a_bit_of_everything()).metrics, listed);
}

#[test]
fn the_manual_names_every_value_of_a_label() {
    let manual = include_str!("../docs/metrics.md");
    let recorded = record(async {
        let gauges = Gauges::new("localhost", "potion").circuit(&Circuit::new(Trip::default())).pace(&pace());
        gauges.publish();
    });
    let states =
        recorded.values.keys().filter_map(|name| name.strip_prefix("trysail_circuit_state{state=")?.strip_suffix('}'));
    let reasons = ["verdict", "attempts", "not_replayable", "patience", "deadline", "budget", "refused"];
    let of_pace =
        |of: &'static str| recorded.values.keys().filter_map(move |name| name.split_once(of)?.1.strip_suffix('}'));
    let of_pace = of_pace("trysail_throttle_held_total{hold=").chain(of_pace("trysail_throttle_cost_total{outcome="));
    assert_eq!(of_pace.clone().count(), 5 + 3);
    for value in states.chain(reasons).chain(of_pace) {
        assert!(manual.contains(&format!("`{value}`")), "{value}");
    }
}

#[test]
fn attempts_are_calls_and_retries() {
    let recorded = record(async {
        let service =
            ServiceBuilder::new().layer(watch()).layer(RetryLayer::new([SECOND; 2])).service(Scripted::new([
                Err(failure(Verdict::TRANSIENT)),
                Err(failure(Verdict::MALFORMED)),
                Ok("vector"),
                Ok("vector"),
                Err(failure(Verdict::TRANSIENT)),
                Err(failure(Verdict::TRANSIENT)),
                Err(failure(Verdict::TRANSIENT)),
                Err(failure(Verdict::PERMANENT)),
            ]));
        for succeeds in [true, true, false, false] {
            assert_eq!(service.clone().oneshot(()).await.is_ok(), succeeds);
        }
    });
    for (metric, sum) in [
        ("trysail_calls_total{outcome=success}", 2.0),
        ("trysail_calls_total{outcome=transient}", 1.0),
        ("trysail_calls_total{outcome=permanent}", 1.0),
        ("trysail_attempts_total", 8.0),
        ("trysail_retries_total{class=transient}", 3.0),
        ("trysail_retries_total{class=malformed}", 1.0),
        ("trysail_given_up_total{reason=attempts}", 1.0),
        ("trysail_given_up_total{reason=verdict}", 1.0),
        ("trysail_slept_seconds", 4.0),
        ("trysail_call_duration_seconds{outcome=success}", 2.0),
        ("trysail_call_duration_seconds{outcome=transient}", 2.0),
    ] {
        assert_eq!(recorded.sum(metric), sum, "{metric}: {recorded:#?}");
    }
    assert!(!recorded.values.keys().any(|name| name.contains("refused") || name.contains("dropped")));
}

#[test]
fn a_call_that_is_dropped_counts_for_what_it_did() {
    let recorded = record(async {
        let service = ServiceBuilder::new()
            .layer(watch())
            .layer(RetryLayer::new([10 * SECOND]))
            .service(tower::service_fn(|_: ()| async { Err::<(), _>(failure(Verdict::TRANSIENT)) }));
        timeout(4 * SECOND, service.clone().oneshot(())).await.expect_err("it sleeps for longer");
        drop(service.clone().call(()));
    });
    assert_eq!(recorded.sum("trysail_calls_total{outcome=dropped}"), 2.0);
    assert_eq!(recorded.sum("trysail_attempts_total"), 1.0);
    assert_eq!(recorded.sum("trysail_slept_seconds"), 4.0, "the rest of the wait is not counted");
    assert!(!recorded.values.keys().any(|name| name.starts_with("trysail_retries")), "{recorded:?}");
}

#[test]
fn an_outer_limit_and_a_refusal_are_outcomes() {
    let recorded = record(async {
        let hanging = tower::service_fn(|_: ()| pending::<Result<(), Judged>>());
        let limited =
            ServiceBuilder::new().layer(watch()).layer(TimeoutLayer::new(SECOND)).layer(RetryLayer::new([SECOND]));
        limited.service(hanging).oneshot(()).await.expect_err("the limit strikes");

        let open = Circuit::new(Trip::default());
        open.force_open();
        let refusing = ServiceBuilder::new()
            .layer(watch())
            .layer(RetryLayer::new([SECOND]))
            .layer(trysail::BreakerLayer::new(open))
            .service(hanging);
        refusing.oneshot(()).await.expect_err("the circuit is open");
    });
    for (metric, sum) in [
        ("trysail_calls_total{outcome=transient}", 1.0),
        ("trysail_call_duration_seconds{outcome=transient}", 1.0),
        ("trysail_calls_total{outcome=refused}", 1.0),
        ("trysail_call_duration_seconds{outcome=refused}", 0.0),
        ("trysail_attempts_total", 1.0),
        ("trysail_given_up_total{reason=refused}", 1.0),
    ] {
        assert_eq!(recorded.sum(metric), sum, "{metric}: {recorded:#?}");
    }
}

#[test]
fn gauges_say_how_things_are_when_they_are_asked() {
    let circuit = Circuit::new(Trip::consecutive(1));
    let gauges = Gauges::new("localhost", "potion").circuit(&circuit).budget(&Budget::default());
    let state = |recorded: &Recorded| {
        let on = |name: &&str| recorded.sum(&format!("trysail_circuit_state{{state={name}}}")) == 1.0;
        ["closed", "open", "half_open", "forced_open", "disabled"].into_iter().filter(on).collect::<Vec<_>>()
    };
    let publish = || record(async { gauges.publish() });
    let first = publish();
    assert_eq!((state(&first), first.sum("trysail_circuit_opened_total")), (vec!["closed"], 0.0));
    assert_eq!((first.sum("trysail_budget_retries"), first.sum("trysail_budget_capacity")), (3.0, 3.0));

    circuit.force_open();
    assert_eq!(circuit.state(), State::ForcedOpen);
    let later = publish();
    assert_eq!((state(&later), later.sum("trysail_circuit_opened_total")), (vec!["forced_open"], 1.0));
}

#[tokio::test(start_paused = true)]
async fn the_service_that_was_ready_is_the_one_called() {
    let pool = Pool::new(1);
    let mut service = watch().layer(pool.probe());
    for _ in 0..3 {
        pool.answer(Ok::<_, Judged>("vector"));
        let ready = ServiceExt::<()>::ready(&mut service).await.expect("a permit");
        assert_eq!(ready.call(()).await.expect("a success"), "vector");
    }
    assert_eq!((pool.calls(), pool.free()), (3, 1));
    drop(ServiceExt::<()>::ready(&mut service).await.expect("a permit").call(()));
    assert_eq!(pool.free(), 1);
}

/// Collects what is logged.
#[derive(Clone, Default)]
pub(crate) struct Log(pub(crate) Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn one_span_a_call_holds_its_attempts_and_what_became_of_it() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG)
        .with_span_events(FmtSpan::CLOSE)
        .with_writer(move || writer.clone());
    // While there is just one, a thread without it that comes first to an event turns that event off for all.
    let _second = tracing::Dispatch::new(tracing_subscriber::fmt().with_writer(io::sink).finish());
    let _logging = tracing::subscriber::set_default(subscriber.finish());

    let steps = [Err(failure(Verdict::TRANSIENT)), Err(failure(Verdict::AUTH))];
    let service = ServiceBuilder::new().layer(watch()).layer(RetryLayer::new([SECOND])).service(Scripted::new(steps));
    let call = service.oneshot("a secret text");
    call.await.map(|_: &str| ()).expect_err("it fails");
    time::sleep(SECOND).await;

    let text = String::from_utf8(log.0.lock().expect("nobody panics").clone()).expect("text");
    assert!(!text.contains("secret"));
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let retry = lines.iter().find(|line| line["fields"]["message"] == "retry").expect("the retry is logged");
    assert_eq!((&retry["span"]["name"], &retry["span"]["origin"]), (&"call".into(), &"localhost".into()));
    let ends: Vec<_> = lines.iter().filter(|line| line["fields"]["message"] == "close").collect();
    assert_eq!(ends.len(), 1, "{text}");
    for (field, value) in [
        ("outcome", serde_json::json!("auth")),
        ("attempts", 2.into()),
        ("class", "auth".into()),
        ("why", "verdict".into()),
        ("slept", "1s".into()),
        ("model", "potion".into()),
    ] {
        assert_eq!(ends[0]["span"][field], value, "{field}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_circuit_says_in_every_event_which_it_is_and_when_to_come_back() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().json().with_writer(move || writer.clone());
    let _logging = tracing::subscriber::set_default(subscriber.finish());

    let named = Circuit::named("tei", Trip::consecutive(1));
    let keyed = Circuits::new(4, || Circuit::new(Trip::consecutive(1))).get(&("localhost", "potion"));
    for circuit in [&named, &keyed] {
        let service = ServiceBuilder::new()
            .layer(BreakerLayer::new(circuit.clone()))
            .service(Scripted::new([Err(failure(Verdict::TRANSIENT))]));
        service.oneshot(()).await.map(|_: &str| ()).expect_err("it fails");
        circuit.force_closed();
        circuit.force_open();
        circuit.disable();
    }
    let text = String::from_utf8(log.0.lock().expect("nobody panics").clone()).expect("text");
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 8, "{text}");
    for (line, name) in lines.iter().zip(["tei"; 4].into_iter().chain([r#"("localhost", "potion")"#; 4])) {
        assert_eq!(line["fields"]["circuit"], name, "{text}");
        let open = line["fields"]["message"] == "circuit open";
        assert_eq!(line["fields"]["retry_after"].is_string(), open, "{text}");
    }
}
