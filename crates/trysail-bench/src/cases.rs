use std::{hint::black_box, time::Duration};

use recloser::{AsyncRecloser, Recloser};
use tokio::time::Instant;
use tower::{Layer, ServiceBuilder};
use tower_resilience::{
    circuitbreaker::CircuitBreakerLayer, retry::RetryLayer as ResilientRetryLayer, timelimiter::TimeLimiterLayer,
};
use trysail::{Backoff, BreakerLayer, Budget, Circuit, CircuitSettings, RetryLayer, TimeoutLayer, Trip};

use crate::{
    case::{Case, Stacked},
    drive,
    peers::{Failsafe, Reclosed, Thrice},
};

macro_rules! cases {
    ($($name:literal => |$inner:ident| $service:expr;)*) => {
        /// What is compared; the last one refuses.
        pub(crate) const ALL: &[Case] = &[$(Case { name: $name, around: |$inner| Stacked::new($service) }),*];
    };
}

cases! {
    "bare" => |inner| inner;
    "a reading of the clock" => |inner| ServiceBuilder::new().map_request(dated).service(inner);
    "tower timeout" => |inner| tower::timeout::TimeoutLayer::new(LIMIT).layer(inner);
    "tower-resilience timeout" => |inner| TimeLimiterLayer::standard().build().layer(inner);
    "trysail timeout" => |inner| TimeoutLayer::new(LIMIT).layer(inner);
    "tower retry" => |inner| tower::retry::RetryLayer::new(Thrice::default()).layer(inner);
    "tower-resilience retry" => |inner| ResilientRetryLayer::exponential_backoff().build().layer(inner);
    "trysail retry" => |inner| retry().layer(inner);
    "tower retry, budget" => |inner| tower::retry::RetryLayer::new(Thrice::budgeted()).layer(inner);
    "trysail retry, budget" => |inner| retry().budget(Budget::default()).layer(inner);
    "recloser" => |inner| Reclosed::new(inner, recloser());
    "failsafe" => |inner| Failsafe::new(inner, failsafe::Config::new().build());
    "tower-resilience breaker" => |inner| resilient().layer(inner);
    "trysail breaker, streak" => |inner| breaker(Trip::consecutive(5)).layer(inner);
    "trysail breaker, last 100" => |inner| breaker(Trip::rate(0.5).last(100)).layer(inner);
    "trysail breaker, default" => |inner| breaker(Trip::default()).layer(inner);
    "stack: tower, recloser" => |inner| ServiceBuilder::new()
        .layer(tower::retry::RetryLayer::new(Thrice::default()))
        .layer_fn(|inner| Reclosed::new(inner, recloser()))
        .layer(tower::timeout::TimeoutLayer::new(LIMIT))
        .service(inner);
    "stack: tower, recloser, budget" => |inner| ServiceBuilder::new()
        .layer(tower::retry::RetryLayer::new(Thrice::budgeted()))
        .layer_fn(|inner| Reclosed::new(inner, recloser()))
        .layer(tower::timeout::TimeoutLayer::new(LIMIT))
        .service(inner);
    "stack: tower, failsafe" => |inner| ServiceBuilder::new()
        .layer(tower::retry::RetryLayer::new(Thrice::default()))
        .layer_fn(|inner| Failsafe::new(inner, failsafe::Config::new().build()))
        .layer(tower::timeout::TimeoutLayer::new(LIMIT))
        .service(inner);
    "stack: tower-resilience" => |inner| ServiceBuilder::new()
        .layer(ResilientRetryLayer::exponential_backoff().build())
        .layer(resilient())
        .layer(TimeLimiterLayer::standard().build())
        .service(inner);
    "stack: trysail, streak" => |inner| ServiceBuilder::new()
        .layer(retry())
        .layer(breaker(Trip::consecutive(5)))
        .layer(TimeoutLayer::new(LIMIT))
        .service(inner);
    "stack: trysail, streak, budget" => |inner| ServiceBuilder::new()
        .layer(retry().budget(Budget::default()))
        .layer(breaker(Trip::consecutive(5)))
        .layer(TimeoutLayer::new(LIMIT))
        .service(inner);
    "stack: trysail, default" => |inner| ServiceBuilder::new()
        .layer(retry())
        .layer(breaker(Trip::default()))
        .layer(TimeoutLayer::new(LIMIT))
        .service(inner);
    "trysail breaker, open" => |inner| open().layer(inner);
}

/// What everything takes at least that keeps time.
fn dated(value: u64) -> u64 {
    black_box(Instant::now());
    value
}

fn retry() -> RetryLayer {
    RetryLayer::new(Backoff::exponential(Duration::from_millis(100)))
}

fn breaker(trip: Trip) -> BreakerLayer {
    BreakerLayer::new(Circuit::new(trip))
}

/// Refuses every call, for as long as the bench runs.
fn open() -> BreakerLayer {
    let hour = Duration::from_secs(3_600);
    let circuit = Circuit::new(CircuitSettings::new(Trip::consecutive(1)).open_time(hour, hour));
    drive::on_a_clock(|| drive::fail_once(BreakerLayer::new(circuit.clone())));
    BreakerLayer::new(circuit)
}

fn resilient() -> CircuitBreakerLayer {
    CircuitBreakerLayer::standard().build().expect("its preset is valid")
}

fn recloser() -> AsyncRecloser {
    AsyncRecloser::from(Recloser::default())
}

const LIMIT: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::ALL;
    use crate::{case::Answer, drive};

    #[test]
    fn every_case_answers_but_the_last() {
        for case in ALL {
            for answer in [Answer::Ready, Answer::Pending] {
                let answered = drive::on_a_clock(|| (case.stack(answer).calls)(10));
                assert_eq!(answered, if case.name.ends_with("open") { 0 } else { 10 }, "{}", case.name);
            }
        }
    }
}
