//! Delays: their growth, the jitter on a hint, and how evenly they are drawn.

use std::{collections::HashSet, time::Duration};

use serde::Deserialize;
use tower::{Service, ServiceBuilder, service_fn};
use trysail::{
    Backoff, Classify, ClassifyLayer, Collect, CollectLayer, Providers, Retry, RetryLayer, Verdict, report,
    retry::Jitter,
};

use super::*;

#[derive(Deserialize)]
struct Rows<T> {
    rows: Vec<T>,
}

#[test]
fn delays_grow_as_those_of_another_client_do() {
    #[derive(Deserialize)]
    struct Row {
        initial: f64,
        n: usize,
        r: f64,
        delay: f64,
    }
    for Row { initial, n, r, delay } in table::<Rows<Row>>("backoff-exponential").rows {
        let backoff = Backoff::exponential(Duration::from_secs_f64(initial)).cap(20 * SECOND).retries(u32::MAX);
        assert_eq!(r, 1.0, "the whole delay");
        let nth = backoff.jitter(Jitter::None).into_iter().nth(n);
        assert_eq!(nth, Some(Duration::from_secs_f64(delay)), "{initial} s, retry {n}");
    }
    let defaults = Backoff::exponential(100 * MS).jitter(Jitter::None);
    let most: Vec<_> = defaults.clone().retries(8).into_iter().map(|delay| delay.as_millis()).collect();
    assert_eq!(most, [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000]);
    assert_eq!(defaults.into_iter().sum::<Duration>(), 700 * MS);
}

/// How long a call slept that was told to come back after `hint`.
async fn slept(layer: &RetryLayer, hint: Duration) -> Duration {
    run(layer.clone(), [Verdict::TRANSIENT.after(hint), Verdict::SUCCESS]).await.report.slept()
}

#[tokio::test(start_paused = true)]
async fn the_jitter_on_a_hint_is_upwards_and_up_to_half() {
    #[derive(Deserialize)]
    struct Row {
        x: u64,
        random: u64,
        out: u64,
    }
    let layer = RetryLayer::new(Backoff::constant(Duration::ZERO)).seed(1);
    for Row { x, random, out } in table::<Rows<Row>>("backoff-hint-jitter").rows {
        assert_eq!(x + random % (x / 2), out);
        let mut reached = HashSet::new();
        for _ in 0..4_000 {
            let slept = slept(&layer, x as u32 * MS).await;
            assert!((x as u32 * MS..x as u32 * MS * 3 / 2).contains(&slept), "{slept:?}");
            reached.insert(slept.as_millis() as u64);
        }
        assert!(reached.contains(&out), "{out} ms is among {} outcomes", reached.len());
    }
}

#[tokio::test(start_paused = true)]
async fn the_larger_of_hint_and_backoff_is_waited_for() {
    #[derive(Deserialize)]
    struct Row {
        spec: String,
        t_i_ms: u64,
        hint_ms: u64,
        delay_ms: u64,
    }
    for Row { spec, t_i_ms, hint_ms, delay_ms } in table::<Rows<Row>>("hint-clamp").rows {
        let ours = Duration::from_millis(t_i_ms.max(hint_ms));
        let layer = RetryLayer::new(Backoff::constant(Duration::from_millis(t_i_ms)).jitter(Jitter::None)).seed(2);
        let slept = slept(&layer, Duration::from_millis(hint_ms)).await;
        assert!((ours..ours + (ours / 2).min(5 * SECOND)).contains(&slept));
        if ours != Duration::from_millis(delay_ms) {
            not_ours("hint-clamp", format!("{spec}, {hint_ms} ms"), "a hint is never cut short");
        }
    }
}

/// How long each of a thousand calls slept, which take turns on so many clones of a service with this seed.
async fn drawn(seed: u64, clones: usize) -> Vec<Duration> {
    let failing = service_fn(|(): ()| async { Err::<(), _>(Verdict::TRANSIENT) });
    let layer = RetryLayer::new(Backoff::constant(SECOND).retries(1).seed(seed));
    let mut services = vec![layer.layer(failing); clones];
    let mut drawn = Vec::new();
    for nth in 0..1_000 {
        let (_, report) = report(services[nth % clones].call(())).await;
        drawn.push(report.slept());
    }
    drawn
}

#[tokio::test(start_paused = true)]
async fn the_draws_of_a_seeded_layer_are_uniform_and_clones_advance_one_source() {
    let drawn_by_one = drawn(20_261_123, 1).await;
    assert!(drawn_by_one == drawn(20_261_123, 7).await, "clones draw in turn what one would draw");
    assert!(drawn_by_one != drawn(20_261_124, 1).await);

    let mut bins = [0_u32; 20];
    drawn_by_one.iter().for_each(|delay| bins[(delay.as_millis() / 50) as usize] += 1);
    let chi_squared: f64 = bins.iter().map(|seen| (f64::from(*seen) - 50.0).powi(2) / 50.0).sum();
    let mut sorted = drawn_by_one;
    sorted.sort();
    let distances = sorted.iter().zip(0_u32..).map(|(delay, rank)| (delay.as_secs_f64() - f64::from(rank) / 1e3).abs());
    let farthest = distances.fold(0.0, f64::max);
    println!("1,000 draws: chi-squared of 20 bins {chi_squared:.1}, Kolmogorov-Smirnov {farthest:.4}");
    // 99 of 100 uniform samples stay below both.
    assert!(chi_squared < 36.2 && farthest < 0.0515);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_clients_told_two_seconds_at_once_come_back_spread_over_the_third() {
    let began = Instant::now();
    let server = service_fn(move |_: HttpRequest| async move {
        let first = began.elapsed() < SECOND;
        Ok::<_, Infallible>(if first { answer(503, &[("retry-after", "2")], "") } else { answer(200, &[], "{}") })
    });
    let clients: Retry<Classify<Collect<_>, Providers>> = ServiceBuilder::new()
        .layer(RetryLayer::new(Backoff::exponential(100 * MS).seed(3)).seed(4))
        .layer(ClassifyLayer::new(Providers))
        .layer(CollectLayer::new(1_000))
        .service(server);
    let calls: Vec<_> = (0..100).map(|_| tokio::spawn(report(clients.clone().oneshot(embedding_request())))).collect();
    let mut resumed = Vec::new();
    for call in calls {
        let (outcome, report) = call.await.expect("no panic");
        assert!(outcome.is_ok() && report.attempts() == 2);
        resumed.push(report.slept());
    }
    resumed.sort();
    assert!(resumed[0] >= 2 * SECOND && resumed[99] < 3 * SECOND);
    let most =
        resumed.iter().map(|from| resumed.iter().filter(|at| (*from..*from + 50 * MS).contains(at)).count()).max();
    println!("100 clients between {:?} and {:?}, at most {most:?} in any 50 ms", resumed[0], resumed[99]);
    assert!(most <= Some(15));
}
