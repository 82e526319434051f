use std::time::Duration;

use tokio::{
    task::JoinSet,
    time::{self, Instant},
};
use tower::{BoxError, ServiceBuilder, ServiceExt, service_fn, util::BoxCloneSyncService};
use trysail::{
    Backoff, Pace, PaceSettings, Rate, RetryLayer, ThrottleLayer,
    verdict::{Allowance, Lesson},
};

use super::{
    Job, Policy, SECONDS,
    provider::{Judged, Provider},
};
use crate::dice::Dice;

type Stack = BoxCloneSyncService<u64, Allowance, BoxError>;

/// Runs the job's callers until its time is over.
pub(super) async fn run(job: &Job, policy: Policy, provider: &Provider, seed: u64) {
    let began = Instant::now();
    let mut callers = JoinSet::new();
    for process in 0..job.processes {
        let stack = stack(job, policy, provider, seed + process);
        for caller in (process..job.callers).step_by(job.processes as usize) {
            let (stack, mean) = (stack.clone(), job.tokens as f64);
            callers.spawn(async move {
                let dice = Dice::seeded(seed * 1_000 + caller);
                while began.elapsed().as_secs_f64() < SECONDS {
                    let tokens = (mean * (0.5 + dice.uniform())) as u64;
                    if stack.clone().oneshot(tokens).await.is_err() {
                        time::sleep(Duration::from_secs(1)).await;
                    }
                }
            });
        }
    }
    time::sleep_until(began + Duration::from_secs_f64(SECONDS)).await;
    callers.shutdown().await;
}

fn stack(job: &Job, policy: Policy, provider: &Provider, seed: u64) -> Stack {
    let provider = provider.clone();
    let provider = service_fn(move |tokens| provider.clone().ask(tokens));
    let retry =
        RetryLayer::new(Backoff::exponential(Duration::from_millis(100)).seed(seed)).within(DEADLINE).seed(seed);
    let [requests, tokens] = [job.limits.requests, job.limits.tokens].map(|minute| Rate::per_minute(minute as u64));
    let pace = match policy {
        Policy::Retry => {
            let stack = ServiceBuilder::new().layer(retry).service(provider);
            return BoxCloneSyncService::new(stack.map_err(BoxError::from));
        }
        Policy::Tower => {
            let stack = ServiceBuilder::new()
                .layer(retry)
                .buffer(job.callers as usize)
                .rate_limit(job.limits.requests as u64, Duration::from_secs(60))
                .service(provider);
            return BoxCloneSyncService::new(stack);
        }
        Policy::Throttle | Policy::ThrottleHeaders => Pace::default(),
        Policy::ThrottleSet => Pace::new(PaceSettings::new().requests(requests).cost(tokens)),
    };
    let learn =
        |outcome: Result<&Allowance, &Judged>| Lesson { allowance: outcome.copied().unwrap_or_default(), cost: None };
    let throttle = ThrottleLayer::new(pace).cost(|tokens: &u64| *tokens).most(DEADLINE).learn_with(learn);
    let stack = ServiceBuilder::new().layer(retry).layer(throttle).service(provider);
    BoxCloneSyncService::new(stack.map_err(BoxError::from))
}

const DEADLINE: Duration = Duration::from_secs(300);
