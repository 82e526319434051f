use std::{hint::black_box, time::Duration};

use async_openai::middleware::retry::OpenAIRetryLayer;
use failsafe::{backoff, failure_policy};
use recloser::{AsyncRecloser, Recloser};
use tokio::time::Instant;
use tower::{Layer, ServiceBuilder, retry::RetryLayer as TowerRetryLayer, timeout::TimeoutLayer as TowerTimeoutLayer};
use tower_resilience::{
    circuitbreaker::CircuitBreakerLayer, retry::RetryLayer as ResilientRetryLayer, timelimiter::TimeLimiterLayer,
};
use trysail::{
    BreakerLayer, Budget, Circuit, CircuitSettings, Pace, PaceSettings, Rate, RetryLayer, ThrottleLayer, TimeoutLayer,
    Trip,
};

use crate::{
    case::{Case, Stacked},
    drive::opened,
    fault::Fault,
    openai::{self, Answering},
    peers::{Failsafe, Reclosed, Thrice, ThriceBudgeted},
};

macro_rules! cases {
    ($($kind:ident { $($name:literal => |$inner:ident| $service:expr;)* })*) => {
        /// What is compared.
        pub(crate) const ALL: &[Case] = &[$($($kind!($name, $inner, $service),)*)*];
    };
}

/// A case that is asked for numbers.
macro_rules! numbers {
    ($name:literal, $inner:ident, $service:expr) => {
        Case {
            name: $name,
            bare: "bare",
            make: |answer| {
                let $inner = answer.nothing();
                Stacked::new($service, |value: u64| value)
            },
        }
    };
}

/// A case whose requests and answers are those of async-openai.
macro_rules! openai {
    ($name:literal, $inner:ident, $service:expr) => {
        Case {
            name: $name,
            bare: "bare, async-openai's types",
            make: |answer| {
                let $inner = Answering(answer.nothing());
                Stacked::new($service, openai::request)
            },
        }
    };
}

cases! {
    numbers {
        "bare" => |inner| inner;
        "a reading of the clock" => |inner| ServiceBuilder::new().map_request(dated).service(inner);
        "tower timeout" => |inner| TowerTimeoutLayer::new(LIMIT).layer(inner);
        "tower-resilience timeout" => |inner| TimeLimiterLayer::standard().build().layer(inner);
        "trysail timeout" => |inner| TimeoutLayer::new(LIMIT).layer(inner);
        "tower retry" => |inner| TowerRetryLayer::new(Thrice::default()).layer(inner);
        "tower-resilience retry" => |inner| ResilientRetryLayer::exponential_backoff().build().layer(inner);
        "trysail retry" => |inner| RetryLayer::default().layer(inner);
        "tower retry, budget" => |inner| TowerRetryLayer::new(ThriceBudgeted::default()).layer(inner);
        "trysail retry, budget" => |inner| budgeted().layer(inner);
        "recloser" => |inner| Reclosed::new(inner, recloser());
        "failsafe" => |inner| Failsafe::new(inner, failsafe::Config::new().build());
        "tower-resilience breaker" => |inner| resilient().layer(inner);
        "trysail breaker, streak" => |inner| breaker(Trip::consecutive(5)).layer(inner);
        "trysail breaker, last 100" => |inner| breaker(Trip::rate(0.5).last(100)).layer(inner);
        "trysail breaker, default" => |inner| BreakerLayer::default().layer(inner);
        "recloser, open" => |inner| opened(Reclosed::new(inner, closed_briefly()));
        "failsafe, open" => |inner| {
            let policy = failure_policy::consecutive_failures(1, backoff::constant(HOUR));
            opened(Failsafe::new(inner, failsafe::Config::new().failure_policy(policy).build()))
        };
        "trysail breaker, open" => |inner| {
            let settings = CircuitSettings::new(Trip::consecutive(1)).open_time(HOUR, HOUR);
            opened(BreakerLayer::new(Circuit::new(settings)).layer(inner))
        };
        "trysail throttle, no limit" => |inner| ThrottleLayer::default().layer(inner);
        "trysail throttle, requests" => |inner| ThrottleLayer::new(Pace::new(REQUESTS)).layer(inner);
        "trysail throttle, requests and cost" => |inner| {
            let pace = Pace::new(PaceSettings::new().requests(REQUESTS).cost(COSTS));
            ThrottleLayer::new(pace).cost(|_: &u64| COST).layer(inner)
        };
        "stack: tower, recloser" => |inner| ServiceBuilder::new()
            .layer(TowerRetryLayer::new(Thrice::default()))
            .layer_fn(|inner| Reclosed::new(inner, recloser()))
            .layer(TowerTimeoutLayer::new(LIMIT))
            .service(inner);
        "stack: tower, failsafe" => |inner| ServiceBuilder::new()
            .layer(TowerRetryLayer::new(Thrice::default()))
            .layer_fn(|inner| Failsafe::new(inner, failsafe::Config::new().build()))
            .layer(TowerTimeoutLayer::new(LIMIT))
            .service(inner);
        "stack: tower-resilience" => |inner| ServiceBuilder::new()
            .layer(ResilientRetryLayer::exponential_backoff().build())
            .layer(resilient())
            .layer(TimeLimiterLayer::standard().build())
            .service(inner);
        "stack: trysail, streak" => |inner| ServiceBuilder::new()
            .layer(RetryLayer::default())
            .layer(breaker(Trip::consecutive(5)))
            .layer(TimeoutLayer::new(LIMIT))
            .service(inner);
        "stack: trysail, default" => |inner| ServiceBuilder::new()
            .layer(RetryLayer::default())
            .layer(BreakerLayer::default())
            .layer(TimeoutLayer::new(LIMIT))
            .service(inner);
        "stack: tower, recloser, budget" => |inner| ServiceBuilder::new()
            .layer(TowerRetryLayer::new(ThriceBudgeted::default()))
            .layer_fn(|inner| Reclosed::new(inner, recloser()))
            .layer(TowerTimeoutLayer::new(LIMIT))
            .service(inner);
        "stack: tower, failsafe, budget" => |inner| ServiceBuilder::new()
            .layer(TowerRetryLayer::new(ThriceBudgeted::default()))
            .layer_fn(|inner| Failsafe::new(inner, failsafe::Config::new().build()))
            .layer(TowerTimeoutLayer::new(LIMIT))
            .service(inner);
        "stack: trysail, default, budget" => |inner| ServiceBuilder::new()
            .layer(budgeted())
            .layer(BreakerLayer::default())
            .layer(TimeoutLayer::new(LIMIT))
            .service(inner);
        "full: tower, recloser" => |inner| ServiceBuilder::new()
            .layer(TowerTimeoutLayer::new(OVERALL))
            .layer(TowerRetryLayer::new(Thrice::default()))
            .map_err(Fault::from)
            .layer_fn(|inner| Reclosed::new(inner, recloser()))
            .layer(TowerTimeoutLayer::new(LIMIT))
            .service(inner);
        "full: trysail" => |inner| ServiceBuilder::new()
            .layer(TimeoutLayer::new(OVERALL))
            .layer(RetryLayer::default())
            .layer(BreakerLayer::default())
            .layer(TimeoutLayer::new(LIMIT))
            .service(inner);
        "full: tower, recloser, budget" => |inner| ServiceBuilder::new()
            .layer(TowerTimeoutLayer::new(OVERALL))
            .layer(TowerRetryLayer::new(ThriceBudgeted::default()))
            .map_err(Fault::from)
            .layer_fn(|inner| Reclosed::new(inner, recloser()))
            .layer(TowerTimeoutLayer::new(LIMIT))
            .service(inner);
        "full: trysail, budget" => |inner| ServiceBuilder::new()
            .layer(TimeoutLayer::new(OVERALL))
            .layer(budgeted())
            .layer(BreakerLayer::default())
            .layer(TimeoutLayer::new(LIMIT))
            .service(inner);
    }
    openai {
        "bare, async-openai's types" => |inner| inner;
        "async-openai retry" => |inner| OpenAIRetryLayer::default().layer(inner);
        "trysail retry, async-openai's types" => |inner| {
            RetryLayer::default().classify_with(openai::verdict).layer(inner)
        };
    }
}

/// What everything takes at least that keeps time.
fn dated(value: u64) -> u64 {
    black_box(Instant::now());
    value
}

fn budgeted() -> RetryLayer {
    RetryLayer::default().budget(Budget::default())
}

fn breaker(trip: Trip) -> BreakerLayer {
    BreakerLayer::new(Circuit::new(trip))
}

fn resilient() -> CircuitBreakerLayer {
    CircuitBreakerLayer::standard().build().expect("its preset is valid")
}

fn recloser() -> AsyncRecloser {
    AsyncRecloser::from(Recloser::default())
}

/// Opens after the second failure.
fn closed_briefly() -> AsyncRecloser {
    AsyncRecloser::from(Recloser::custom().closed_len(1).open_wait(HOUR).build())
}

const LIMIT: Duration = Duration::from_secs(20);
const OVERALL: Duration = Duration::from_secs(60);
/// Longer than any bench runs.
const HOUR: Duration = Duration::from_secs(3_600);
/// More than any thread can ask for.
const REQUESTS: Rate = Rate::per_second(1_000_000_000);
const COSTS: Rate = Rate::per_second(1_000_000_000 * COST);
const COST: u64 = 100;

#[cfg(test)]
mod tests {
    use super::ALL;
    use crate::{case::Answer, drive};

    #[test]
    fn every_case_answers_but_those_that_are_open() {
        for case in ALL {
            for answer in Answer::ALL {
                let answered = drive::on_a_clock(|| ((case.make)(answer).calls)(10));
                assert_eq!(answered, if case.name.ends_with("open") { 0 } else { 10 }, "{}", case.name);
            }
        }
    }
}
