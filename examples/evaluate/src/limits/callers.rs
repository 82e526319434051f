use std::time::Duration;

use tokio::{
    task::JoinSet,
    time::{self, Instant},
};
use tower::{
    BoxError, ServiceBuilder, ServiceExt,
    util::{BoxCloneSyncService, option_layer},
};
use trysail::{
    Backoff, Pace, PaceSettings, Rate, RetryLayer, ThrottleLayer,
    verdict::{Allowance, Lesson},
};

use super::{
    Job, Policy, SECONDS,
    governor::Limiters,
    provider::{Judged, Provider},
};
use crate::dice::Dice;

type Stack = BoxCloneSyncService<u64, Allowance, BoxError>;

/// Runs the job's callers until its time is over.
pub(super) async fn run(job: &Job, policy: Policy, provider: &Provider, seed: u64) {
    let began = Instant::now();
    let ends = began + Duration::from_secs_f64(SECONDS / job.pace);
    let pause = Duration::from_secs(1).div_f64(job.pace);
    let mut callers = JoinSet::new();
    for process in 0..job.processes {
        let stack = stack(job, policy, provider, seed + process);
        for caller in (process..job.callers).step_by(job.processes as usize) {
            let (stack, mean) = (stack.clone(), job.tokens as f64);
            callers.spawn(async move {
                let dice = Dice::seeded(seed * 1_000 + caller);
                while Instant::now() < ends {
                    let tokens = (mean * (0.5 + dice.uniform())) as u64;
                    if stack.clone().oneshot(tokens).await.is_err() {
                        time::sleep(pause).await;
                    }
                }
            });
        }
    }
    time::sleep_until(ends).await;
    callers.shutdown().await;
}

fn stack(job: &Job, policy: Policy, provider: &Provider, seed: u64) -> Stack {
    let provider = provider.clone();
    let ask = move |tokens| provider.clone().ask(tokens);
    let minute = Duration::from_secs(60).div_f64(job.pace);
    let retry = RetryLayer::new(Backoff::exponential(Duration::from_millis(100)).seed(seed));
    // What it waits for after a refusal is not scaled.
    let retry = option_layer((job.pace == 1.0).then(|| retry.within(DEADLINE).seed(seed)));
    let pace = match policy {
        Policy::Retry => {
            let stack = ServiceBuilder::new().layer(retry).service_fn(ask);
            return BoxCloneSyncService::new(stack.map_err(BoxError::from));
        }
        Policy::Tower => {
            let stack = ServiceBuilder::new()
                .layer(retry)
                .buffer(job.callers as usize)
                .rate_limit(job.limits.requests as u64, minute)
                .service_fn(ask);
            return BoxCloneSyncService::new(stack);
        }
        Policy::Governor => {
            let limiters = Limiters::new(job.limits, minute);
            let held = move |tokens| {
                let (may_go, ask) = (limiters.clone().until(tokens), ask.clone());
                async move {
                    may_go.await;
                    ask(tokens).await
                }
            };
            let stack = ServiceBuilder::new().layer(retry).service_fn(held);
            return BoxCloneSyncService::new(stack.map_err(BoxError::from));
        }
        Policy::Throttle | Policy::ThrottleHeaders => Pace::default(),
        Policy::ThrottleSet => {
            let [requests, tokens] =
                [job.limits.requests, job.limits.tokens].map(|most| Rate::new(most as u64, minute));
            Pace::new(PaceSettings::new().requests(requests).cost(tokens))
        }
    };
    let learn =
        |outcome: Result<&Allowance, &Judged>| Lesson { allowance: outcome.copied().unwrap_or_default(), cost: None };
    let throttle = ThrottleLayer::new(pace).cost(|tokens: &u64| *tokens).most(DEADLINE).learn_with(learn);
    let stack = ServiceBuilder::new().layer(retry).layer(throttle).service_fn(ask);
    BoxCloneSyncService::new(stack.map_err(BoxError::from))
}

const DEADLINE: Duration = Duration::from_secs(300);
