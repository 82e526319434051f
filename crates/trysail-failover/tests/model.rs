//! Any list of members against a model that says in a loop what a call does.

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use proptest::{collection::vec, prelude::*};
use tokio::time::sleep;
use tower::{Layer, ServiceExt, service_fn, util::BoxCloneSyncService};
use trysail_core::{Class, Pay, Retryable, Verdict};
use trysail_failover::FailoverLayer;

/// How a member answers: after how many seconds, and what.
#[derive(Clone, Copy, Debug)]
struct Answers {
    after: u32,
    outcome: Result<(), Verdict>,
}

const NEVER: u32 = 1_000;
const WITHIN: f64 = 60.0;

fn answers() -> impl Strategy<Value = Answers> {
    let outcome = prop_oneof![
        2 => Just(Ok(())),
        3 => Just(Err(Verdict::TRANSIENT)),
        1 => Just(Err(Verdict::TRANSIENT.unsent())),
        1 => Just(Err(Verdict::REFUSED)),
        1 => Just(Err(Verdict::AUTH)),
        1 => Just(Err(Verdict::PERMANENT)),
    ];
    // Such that no two moments of a call fall together.
    (prop_oneof![3 => Just(0), 1 => Just(7), 1 => Just(23), 1 => Just(NEVER)], outcome)
        .prop_map(|(after, outcome)| Answers { after, outcome })
}

/// Who is asked, who answers, and what is left of the budget.
type Course = (Vec<usize>, Option<usize>, u32);

fn model(members: &[Answers], budget: u32) -> Option<Course> {
    let (mut now, mut asked, mut balance) = (0.0, Vec::new(), budget);
    // What was paid for the request that is on its way, or was not sent.
    let mut in_hand = false;
    for (member, answers) in members.iter().enumerate() {
        asked.push(member);
        let left = members.len() - member;
        let share = if left > 1 { (WITHIN - now) / left as f64 } else { f64::INFINITY };
        let after = f64::from(answers.after);
        let hangs = answers.after == NEVER;
        if hangs && share.is_infinite() {
            return None;
        }
        let verdict = if hangs || after > share {
            now += share;
            Verdict::TRANSIENT
        } else {
            now += after;
            match answers.outcome {
                Ok(()) => return Some((asked, Some(member), budget)),
                Err(verdict) => verdict,
            }
        };
        let unsent = verdict.class() == Class::Refused || verdict.retry() == Retryable::Unsent;
        if !unsent {
            in_hand = false;
        }
        if verdict.class() == Class::Permanent || left == 1 || now >= WITHIN {
            break;
        }
        if !unsent {
            if balance == 0 {
                break;
            }
            (balance, in_hand) = (balance - 1, true);
        }
    }
    Some((asked, None, balance + u32::from(in_hand)))
}

#[derive(Clone)]
struct Purse(Arc<AtomicU32>);

impl Pay for Purse {
    type Charge = u32;

    fn pay(&self, _: Verdict) -> Option<u32> {
        self.0.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).ok().map(|_| 1)
    }

    fn give_back(&self, charge: u32) {
        self.0.fetch_add(charge, Relaxed);
    }
}

async fn course(members: &[Answers], budget: u32) -> Option<Course> {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let service = |(number, answers): (usize, &Answers)| {
        let (answers, asked) = (*answers, Arc::clone(&asked));
        BoxCloneSyncService::new(service_fn(move |()| {
            asked.lock().expect("nothing panics under it").push(number);
            async move {
                match answers.after {
                    0 => {}
                    NEVER => pending().await,
                    secs => sleep(Duration::from_secs(secs.into())).await,
                }
                answers.outcome.map(|()| number).map_err(tower::BoxError::from)
            }
        }))
    };
    let purse = Purse(Arc::new(budget.into()));
    let mut services = members.iter().enumerate().map(service).collect::<Vec<_>>();
    let first = services.remove(0);
    let failover = FailoverLayer::new(services).within(Duration::from_secs(60)).budget(purse.clone()).layer(first);
    let outcome = tokio::time::timeout(Duration::from_secs(600), failover.oneshot(())).await.ok()?;
    let asked = asked.lock().expect("nothing panics under it").clone();
    Some((asked, outcome.ok(), purse.0.load(Relaxed)))
}

proptest! {
    #[test]
    fn a_call_goes_as_the_model_says(members in vec(answers(), 1..6), budget in 0..4_u32) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        prop_assert_eq!(runtime.block_on(course(&members, budget)), model(&members, budget));
    }
}
