//! One bad input costs itself, whatever is wrong with it and however much the server takes at once.

mod server;

use std::collections::BTreeMap;

use proptest::{collection::btree_map, prelude::*};
use tokio::time::{Instant, timeout};
use tower::{Layer, ServiceBuilder};
use trysail::{Batches, Classified, Deadline, EmbedRequest, Embeddings, Endpoint, HttpLayer, Preset};

use self::server::{Fault, Limit, SECOND, Server};

/// What became of a job.
struct Outcome {
    /// Each input's own vector, or why it has none.
    inputs: Vec<Result<(), String>>,
    ended: bool,
    requests: usize,
    sizes: Vec<usize>,
    took: std::time::Duration,
}

impl Outcome {
    fn failed(&self) -> Vec<usize> {
        let failed = |(at, input): (usize, &Result<(), String>)| input.is_err().then_some(at);
        self.inputs.iter().enumerate().filter_map(failed).collect()
    }
}

/// Sends so many inputs, in order, and looks at what comes back.
async fn run(server: &Server, lines: usize, batch: usize, concurrency: u32) -> Outcome {
    run_within(server, lines, batch, concurrency, None).await
}

/// The same, with so much time for each batch.
async fn run_within(
    server: &Server,
    lines: usize,
    batch: usize,
    concurrency: u32,
    time: Option<std::time::Duration>,
) -> Outcome {
    let preset = Preset::bulk().concurrency(concurrency).seed(7);
    let http = ServiceBuilder::new().layer(HttpLayer::new()).service(server.service());
    let endpoint = Endpoint::openai("http://localhost/v1").expect("a base URL");
    let service = preset.layer(Embeddings::new(http, endpoint));
    let texts = (0..lines).map(server::text);
    let started = Instant::now();
    let batches = Batches::of("m", texts).count(batch).concurrency(concurrency as usize);
    let each = |request: EmbedRequest| match time {
        Some(time) => request.deadline(Deadline::within(time)),
        None => request,
    };
    let mut answers = batches.each(each).send(service);
    let (mut inputs, mut ended) = (Vec::new(), false);
    while let Some(answer) = timeout(SECOND * 100_000, answers.next()).await.expect("it does not hang") {
        match answer {
            Ok(answer) => {
                for vector in answer.vectors() {
                    assert_eq!(vector, server::vector(inputs.len()), "the vector of another input");
                    inputs.push(Ok(()));
                }
            }
            Err(error) => {
                assert_eq!(error.inputs().start, inputs.len(), "in order");
                assert!(error.error().is_some() || ended || answers.ended_by().is_some(), "{error}");
                ended |= error.ends();
                inputs.extend(error.inputs().map(|_| Err(error.to_string())));
                assert!(!matches!(error.verdict().class(), trysail::Class::Success));
            }
        }
    }
    let took = started.elapsed();
    Outcome { inputs, ended, requests: server.requests(), sizes: server.sizes(), took }
}

/// At most so many more requests for one culprit in a batch of that size.
fn halvings(batch: usize) -> usize {
    2 * batch.next_power_of_two().ilog2() as usize
}

#[tokio::test(start_paused = true)]
async fn poison_of_each_kind_costs_its_own_line() {
    for fault in Fault::ALL {
        for at in [0, 17, 31, 32, 63] {
            let server = Server::new(Limit::None, [(at, fault)]);
            let outcome = run(&server, 64, 64, 4).await;
            assert_eq!(outcome.failed(), [at], "{fault:?} at {at}: {:?}", outcome.inputs[at]);
            let most = if fault.is_refused() { 1 + halvings(64) } else { 1 + halvings(64) + 16 };
            assert!(outcome.requests <= most, "{fault:?} at {at}: {} requests: {:?}", outcome.requests, outcome.sizes);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_is_learnt_once() {
    let table = [(10, 80), (32, 26), (1, 660), (20, 44)];
    for (limit, most) in table {
        let server = Server::new(Limit::Named(limit), []);
        let outcome = run(&server, 640, 64, 4).await;
        assert!(outcome.failed().is_empty());
        assert!(outcome.requests <= most, "a limit of {limit}: {} requests", outcome.requests);
        let refused = outcome.sizes.iter().filter(|size| **size > limit).count();
        assert!(refused <= 4, "a limit of {limit}: {refused} refusals");
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_not_named_is_closed_in_on() {
    for limit in [1, 5, 10, 20, 32, 50] {
        let server = Server::new(Limit::Silent(limit), []);
        let outcome = run(&server, 640, 64, 4).await;
        assert!(outcome.failed().is_empty());
        let least = 640_usize.div_ceil(limit);
        assert!(outcome.requests <= least * 3 / 2 + 40, "a limit of {limit}: {} requests", outcome.requests);
    }
}

#[tokio::test(start_paused = true)]
async fn a_model_that_refuses_everything_is_left_alone_soon() {
    for fault in [Fault::Refused, Fault::Unprocessable] {
        for (batch, concurrency) in [(64, 4), (64, 1), (2, 1), (2, 4), (1, 1), (1, 4), (7, 3)] {
            let server = Server::new(Limit::None, (0..1000).map(|at| (at, fault)));
            let outcome = run(&server, 1000, batch, concurrency).await;
            assert_eq!(outcome.failed().len(), 1000);
            let most = 4 + concurrency as usize;
            assert!(outcome.ended && outcome.requests <= most, "{batch}, {concurrency}: {}", outcome.requests);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn three_poisoned_inputs_of_ten_thousand_fail_and_no_others() {
    for fault in [Fault::Refused, Fault::Broken, Fault::Null] {
        let poison = [5, 4_321, 9_999];
        let server = Server::new(Limit::None, poison.map(|at| (at, fault)));
        let outcome = run(&server, 10_000, 32, 4).await;
        assert_eq!(outcome.failed(), poison, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn poison_in_every_place_does_not_stop_the_job() {
    // One in each of the first four batches, so that all places meet it at once.
    let poison = [3, 40, 70, 100];
    let server = Server::new(Limit::None, poison.map(|at| (at, Fault::Broken)));
    let outcome = run(&server, 2_000, 32, 4).await;
    assert_eq!(outcome.failed(), poison);
    assert!(outcome.took < SECOND * 20, "{:?}", outcome.took);
    assert!(server.longest_silence() < SECOND * 5, "nothing was answered for {:?}", server.longest_silence());
}

#[tokio::test(start_paused = true)]
async fn poison_at_both_ends_of_every_batch_costs_no_other_line_and_little_time() {
    for fault in [Fault::Broken, Fault::HangsUp, Fault::Null, Fault::Refused] {
        let poison: Vec<_> = (0..640).filter(|at| [0, 63].contains(&(at % 64))).collect();
        let server = Server::new(Limit::None, poison.iter().map(|at| (*at, fault)));
        let outcome = run_within(&server, 640, 64, 4, Some(SECOND * 20)).await;
        assert_eq!(outcome.failed(), poison, "{fault:?}");
        assert!(outcome.took < SECOND * 20, "{fault:?}: {:?}", outcome.took);
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_costs_no_line_and_halves_next_to_nothing() {
    let server = Server::new(Limit::None, []).down(SECOND..SECOND * 40);
    let outcome = run(&server, 3_000, 32, 4).await;
    assert!(outcome.failed().is_empty(), "{:?}", outcome.failed());
    assert!(outcome.requests < 3_000 / 32 + 150, "{}", outcome.requests);
}

#[tokio::test(start_paused = true)]
async fn accidents_cost_no_line() {
    for percent in [10, 30, 50] {
        let server = Server::new(Limit::None, []).flaky(percent);
        let outcome = run(&server, 2_000, 8, 4).await;
        assert!(outcome.failed().is_empty(), "{percent} %: {:?}", outcome.inputs[outcome.failed()[0]]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_base64_without_a_word_is_asked_for_numbers() {
    for (lines, batch) in [(640, 64), (64, 64), (20, 7), (3, 1)] {
        let server = Server::new(Limit::None, []).numbers_only();
        let outcome = run(&server, lines, batch, 4).await;
        assert!(outcome.failed().is_empty(), "{lines} by {batch}: {:?}", outcome.inputs);
        assert!(outcome.requests <= lines.div_ceil(batch) + 16, "{lines} by {batch}: {:?}", server.forms());
    }
}

#[tokio::test(start_paused = true)]
async fn inputs_that_are_refused_do_not_take_base64_from_the_others() {
    // One in each half of the first batch, so that inputs are asked for alone and in every form.
    let poison = [10, 40].map(|at| (at, Fault::Refused));
    let server = Server::new(Limit::None, poison);
    let outcome = run(&server, 640, 64, 1).await;
    assert_eq!(outcome.failed(), [10, 40]);
    let forms = server.forms();
    assert!(forms.iter().any(|form| form != "base64"), "no other form was tried");
    assert!(forms.iter().rev().take(9).all(|form| form == "base64"), "{forms:?}");
    // An input of each half alone, once more in the usual form, and parts that are not even halves for it.
    assert!(outcome.requests <= 640 / 64 + 2 * halvings(64) + 2 + 2 + 2, "{} requests", outcome.requests);
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_first_has_the_time_of_the_request_behind_it() {
    // The batch whose input is known to be answered was over long ago.
    let server = Server::new(Limit::None, [(630, Fault::Broken)]);
    let outcome = run_within(&server, 640, 8, 1, Some(SECOND * 3)).await;
    assert_eq!(outcome.failed(), [630]);
    assert!(outcome.took > SECOND * 3, "{:?}", outcome.took);
    assert_eq!(server.late(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_answered_in_time_comes_in_smaller_batches() {
    let server = Server::new(Limit::Slow(16), []);
    let outcome = run(&server, 640, 64, 4).await;
    assert!(outcome.failed().is_empty());
    let late = outcome.sizes.iter().filter(|size| **size > 16).count();
    assert!(late <= 20, "{late} requests were too late: {:?}", outcome.sizes);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    /// For any poison and any limit the rows are whole, in order, each right or named, and the requests stay under a
    /// bound: the batches, what it takes to find the limit in each place, and for each culprit its halvings, twice where
    /// it takes repetition to know that it is one.
    #[test]
    fn any_poison_costs_itself(
        lines in 1_usize..300,
        batch in 1_usize..70,
        concurrency in 1_u32..6,
        limit in server::limits(),
        poison in btree_map(0_usize..300, server::faults(), 0..6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime").block_on(async {
            let poison: BTreeMap<_, _> = poison.into_iter().filter(|(at, _)| *at < lines).collect();
            let server = Server::new(limit, poison.clone());
            let outcome = run(&server, lines, batch, concurrency).await;
            prop_assert_eq!(outcome.inputs.len(), lines);
            if outcome.ended {
                // Only what refuses all ends it, and nothing that was asked for was answered.
                prop_assert_eq!(server.answered(), 0);
                return Ok(());
            }
            prop_assert_eq!(outcome.failed(), poison.keys().copied().collect::<Vec<_>>());
            let size = limit.most().min(batch);
            let places = concurrency as usize * (2 + 4 * batch / size);
            let culprits: usize = poison.values().map(|fault| {
                halvings(batch) + if fault.is_refused() { 2 } else { halvings(batch) + 24 }
            }).sum();
            let most = lines.div_ceil(size) * 3 / 2 + places + culprits + 10;
            prop_assert!(outcome.requests <= most, "{} requests, not {most}", outcome.requests);
            Ok(())
        })?;
    }
}
