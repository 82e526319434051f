use std::time::Duration;

use tower_layer::Layer;
use trysail_breaker::{CircuitSettings, Trip};
use trysail_retry::{Backoff, BudgetSettings, RetrySettings};
use trysail_throttle::PaceSettings;

use super::Preset;

/// The rows of the table: what they are about, and the numbers in the columns of both presets.
struct Table(Vec<(&'static str, [&'static str; 2])>);

impl Table {
    fn read() -> Self {
        let rows = include_str!("../preset.rs").lines().filter_map(|line| line.strip_prefix("/// | "));
        let cells = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
        Self(cells.map(|cells| (cells[0], [cells[1], cells[2]])).skip(1).collect())
    }

    /// Takes out the row about `what`.
    fn row(&mut self, what: &str) -> [&'static str; 2] {
        let at = self.0.iter().position(|(name, _)| *name == what);
        self.0.remove(at.unwrap_or_else(|| panic!("there is no row about {what}"))).1
    }

    /// All numbers in that row.
    fn numbers(&mut self, what: &str) -> [Vec<f64>; 2] {
        let number = |word: &str| word.trim_end_matches(',').parse().ok();
        self.row(what).map(|cell| cell.split(' ').filter_map(number).collect())
    }

    fn seconds(&mut self, what: &str) -> [Duration; 2] {
        self.numbers(what).map(|numbers| Duration::from_secs_f64(numbers[0]))
    }
}

fn millis(number: f64) -> Duration {
    Duration::from_secs_f64(number / 1_000.0)
}

#[test]
fn the_table_of_defaults_is_true_in_every_number() {
    let mut table = Table::read();
    let presets = [Preset::interactive(), Preset::bulk()];
    for preset in &presets {
        // What fits the layers around is known once there are any.
        let _ = preset.layer(());
    }
    let secs = Duration::from_secs_f64;

    assert_eq!(presets.each_ref().map(|preset| preset.overall), table.seconds("the whole call"));
    assert_eq!(presets.each_ref().map(|preset| preset.attempt), table.seconds("one attempt, body included"));
    let waits = table.row("waits for an open circuit, and for the budget");
    assert_eq!(presets.each_ref().map(|preset| if preset.bulk { "yes" } else { "no" }), waits);

    let retries = table.numbers("retries at most");
    let backoff = table.numbers("backoff, with full jitter");
    let patience = table.seconds("patience with a server's hint");
    let least = table.numbers("least time for an attempt");
    let earns = table.numbers("a retry budget earns, a call");
    let room = table.numbers("a retry budget has room for");
    assert_eq!(table.row("requests and tokens in a minute"), ["as learnt"; 2]);
    assert_eq!(table.row("calls in flight"), ["no limit"; 2]);
    let queue = table.numbers("calls that wait for their turn");
    let pause = table.seconds("all calls pause as long as the server asks, up to");
    let streaks = table.numbers("the circuit opens after failures in a row");
    let rate = table.numbers("or at a failure rate of");
    let open = table.numbers("it stays open for");
    let hint = table.seconds("or as long as the server asks, up to");
    let probes = table.numbers("probes at once");
    let lease = table.seconds("a probe is given up after");
    let abandoned = table.seconds("a caller's impatience counts after");
    for (at, preset) in presets.iter().enumerate() {
        let settings = preset.retry_settings().get();
        let delays = |backoff: Backoff| backoff.seed(1).into_iter().collect::<Vec<_>>();
        let [first, factor, cap] = backoff[at][..] else { panic!("{:?}", backoff[at]) };
        assert_eq!(factor, 2.0);
        let said = Backoff::exponential(millis(first)).cap(secs(cap)).retries(retries[at][0] as u32);
        let others = settings.clone().map_backoff(|found| assert_eq!(delays(found), delays(said)));
        assert_eq!(others, RetrySettings::new(()).patience(patience[at]).least(millis(least[at][0])));

        let budget = BudgetSettings::ratio(earns[at][0]).ceiling(room[at][1] as u32).floor(room[at][0] as u32);
        let closed = |budget: BudgetSettings| if preset.bulk { budget.closed_loop(room[at][0] as u32) } else { budget };
        assert_eq!(preset.budget().settings(), closed(budget));

        let pace = PaceSettings::new().without_search().queue(queue[at][0] as usize).most_pause(pause[at]);
        assert_eq!(preset.pace().settings(), pace);

        let [slower, span, faster] = streaks[at][..] else { panic!("{:?}", streaks[at]) };
        let [share, calls, window] = rate[at][..] else { panic!("{:?}", rate[at]) };
        let trip = Trip::rate(share / 100.0).calls(calls as u32).within(secs(window));
        let trip = trip.or_streak(slower as u32, secs(span)).or_streak(faster as u32, Duration::ZERO);
        let circuit = CircuitSettings::new(trip)
            .open_time(secs(open[at][0]), secs(open[at][1]))
            .most_hint(hint[at])
            .probes(probes[at][0] as u32, 1)
            .lease(lease[at])
            .abandoned_after(abandoned[at]);
        assert_eq!(preset.circuit().settings(), circuit);
    }
    assert!(table.0.is_empty(), "nobody looks at {:?}", table.0);
}

#[cfg(all(feature = "classify", feature = "client"))]
#[test]
fn what_is_said_of_the_foot_is_true() {
    use crate::{CollectLayer, HttpLayer, transport::CONNECT_TIMEOUT};

    let said = include_str!("../preset.rs").lines().find(|line| line.contains("the ready-made foot"));
    let words = said.expect("it is said").split(' ').filter_map(|word| word.parse().ok()).collect::<Vec<f64>>();
    let [connect, size, idle] = words[..] else { panic!("{words:?}") };
    assert_eq!(CONNECT_TIMEOUT, Duration::from_secs_f64(connect));
    let collect = CollectLayer::new((size as usize) << 20).idle(Duration::from_secs_f64(idle));
    assert_eq!(format!("{:?}", HttpLayer::new().collect(collect)), format!("{:?}", HttpLayer::new()));
}
