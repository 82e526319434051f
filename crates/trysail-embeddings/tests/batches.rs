//! Many inputs at once: how they are cut, how they travel, and what becomes of them.

use std::{
    cell::Cell,
    collections::BTreeSet,
    error::Error,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use tower::{Service, limit::ConcurrencyLimit};
use trysail_core::{Classified, Failure, Remedy, Verdict};
use trysail_embeddings::{Batches, EmbedError, EmbedRequest, EmbedResponse, Embeddings, Endpoint};

const SECOND: Duration = Duration::from_secs(1);

/// What a server has seen.
#[derive(Clone, Debug, Default)]
struct Seen {
    batches: Arc<Mutex<Vec<Vec<String>>>>,
    in_flight: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Seen {
    fn batches(&self) -> Vec<Vec<String>> {
        self.batches.lock().expect("nobody panics").clone()
    }
}

/// A call that is in flight until it is dropped.
struct Guard(Arc<AtomicUsize>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// A vector of a number, for a text that is one.
fn vectors(batch: &[String]) -> Value {
    let item = |text: &String| json!({ "embedding": [text.trim().parse::<f32>().expect("a number"), 1.0] });
    let data: Vec<_> = batch.iter().map(item).collect();
    json!({ "data": data, "model": "m", "usage": { "total_tokens": batch.len() } })
}

/// A server that answers a batch after what `wait` says, as `answer` says; with nothing, it refuses the key.
fn server(
    seen: &Seen,
    wait: impl Fn(&[String]) -> Duration + Clone + Send + 'static,
    answer: impl Fn(&[String]) -> Option<Value> + Clone + Send + 'static,
) -> impl Service<EmbedRequest, Response = EmbedResponse, Error = EmbedError, Future: Send> + Clone + Send {
    judged(seen, wait, move |batch| answer(batch).ok_or(Verdict::AUTH))
}

/// A server that answers a batch after what `wait` says, or refuses it with a verdict.
fn judged(
    seen: &Seen,
    wait: impl Fn(&[String]) -> Duration + Clone + Send + 'static,
    answer: impl Fn(&[String]) -> Result<Value, Verdict> + Clone + Send + 'static,
) -> impl Service<EmbedRequest, Response = EmbedResponse, Error = EmbedError, Future: Send> + Clone + Send {
    let seen = seen.clone();
    let http = tower::service_fn(move |request: Request<Full<Bytes>>| {
        let (seen, wait, answer) = (seen.clone(), wait.clone(), answer.clone());
        async move {
            let Ok(body) = request.into_body().collect().await;
            let body: Value = serde_json::from_slice(&body.to_bytes()).expect("a request is JSON");
            let texts = body["input"].as_array().expect("a list").iter();
            let batch: Vec<_> = texts.map(|text| text.as_str().expect("a text").to_owned()).collect();
            seen.batches.lock().expect("nobody panics").push(batch.clone());
            seen.most.fetch_max(seen.in_flight.fetch_add(1, Relaxed) + 1, Relaxed);
            let _in_flight = Guard(Arc::clone(&seen.in_flight));
            sleep(wait(&batch)).await;
            let refused = |verdict| Failure::unanswered(verdict, io::ErrorKind::PermissionDenied.into());
            let answer = answer(&batch).map_err(refused)?;
            Ok::<Response<Bytes>, Failure<Response<Bytes>, io::Error>>(Response::new(answer.to_string().into()))
        }
    });
    Embeddings::new(http, Endpoint::openai("http://localhost/v1").expect("a base URL"))
}

/// A server that answers as it should, at once.
fn good(seen: &Seen) -> impl Service<EmbedRequest, Response = EmbedResponse, Error = EmbedError, Future: Send> + Clone {
    server(seen, |_| Duration::ZERO, |batch| Some(vectors(batch)))
}

fn numbers(count: usize) -> impl Iterator<Item = String> + Clone {
    (0..count).map(|number| number.to_string())
}

fn assert_in_order(answer: &EmbedResponse, count: usize) {
    assert!(answer.vectors().map(|vector| vector[0] as usize).eq(0..count), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn batches_are_cut_by_count_and_by_bytes() -> Result<(), Box<dyn Error>> {
    let pad = |number: usize, width: usize| format!("{number:>width$}");
    let texts = [pad(0, 4), pad(1, 4), pad(2, 3), pad(3, 20), pad(4, 1), pad(5, 10), pad(6, 1)];
    let seen = Seen::default();
    let answer = Batches::of("m", texts).count(3).bytes(10).concurrency(1).embed(good(&seen)).await?;
    assert_in_order(&answer, 7);
    let sizes: Vec<Vec<_>> = seen.batches().iter().map(|batch| batch.iter().map(String::len).collect()).collect();
    assert_eq!(sizes, [vec![4, 4], vec![3], vec![20], vec![1], vec![10], vec![1]]);

    let seen = Seen::default();
    let answer = Batches::of("m", numbers(7)).count(3).bytes(usize::MAX).embed(good(&seen)).await?;
    assert_in_order(&answer, 7);
    assert_eq!(seen.batches().iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
    assert_eq!((answer.dimensions(), answer.model(), answer.tokens()), (2, Some("m"), Some(7)));

    let seen = Seen::default();
    let answer = Batches::of("m", numbers(3)).count(0).bytes(0).concurrency(0).embed(good(&seen)).await?;
    assert_in_order(&answer, 3);
    assert_eq!(seen.batches().len(), 3);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn nothing_in_is_nothing_sent() {
    let seen = Seen::default();
    let answer = Batches::of("m", numbers(0)).embed(good(&seen)).await.expect("nothing can fail");
    assert!(answer.is_empty() && answer.vectors().next().is_none() && seen.batches().is_empty());
}

#[tokio::test(start_paused = true)]
async fn answers_come_in_order_whatever_the_server_does() {
    let seen = Seen::default();
    let late = |batch: &[String]| match batch[0].parse::<u64>() {
        Ok(first) if first % 3 == 0 => SECOND * 3,
        Ok(first) => SECOND / (first as u32 + 1),
        Err(_) => unreachable!(),
    };
    let service = server(&seen, late, |batch| Some(vectors(batch)));
    let answer = Batches::of("m", numbers(100)).count(2).concurrency(5).embed(service).await.expect("all answers");
    assert_in_order(&answer, 100);
    assert_eq!((seen.most.load(Relaxed), seen.in_flight.load(Relaxed)), (5, 0));
    assert_eq!(seen.batches().concat().into_iter().collect::<BTreeSet<_>>().len(), 100);
}

#[tokio::test(start_paused = true)]
async fn no_more_is_read_than_the_window_holds() {
    let read = Cell::new(0);
    let texts = numbers(usize::MAX).inspect(|_| read.set(read.get() + 1));
    let seen = Seen::default();
    let first_hangs = |batch: &[String]| if batch[0] == "0" { SECOND * 1000 } else { Duration::ZERO };
    let service = server(&seen, first_hangs, |batch| Some(vectors(batch)));
    let mut answers = Batches::of("m", texts).count(3).bytes(usize::MAX).concurrency(2).send(service);
    timeout(SECOND * 10, answers.next()).await.expect_err("the first is not there");
    assert_eq!(read.get(), 16 * 2 * 3);
    // The one that waited goes on, and the others are there at once.
    for batch in 0..16 * 2 {
        let answer = answers.next().await.expect("there are more").expect("they answer");
        assert_eq!(answer.vectors().next(), Some([batch as f32 * 3.0, 1.0].as_slice()));
    }
}

#[tokio::test(start_paused = true)]
async fn what_no_input_can_escape_ends_the_run_and_all_are_told() {
    let seen = Seen::default();
    let wait = |batch: &[String]| if batch[0] == "4" { SECOND } else { SECOND * 60 };
    let service = server(&seen, wait, |batch| (batch[0] == "0").then(|| vectors(batch)));
    let mut answers = Batches::of("m", numbers(1000)).count(2).concurrency(3).send(service);
    let first = answers.next().await.expect("an answer").expect("it was sent before the end");
    assert_eq!(first.len(), 2);
    let failed = answers.next().await.expect("an error").expect_err("it was sent as well");
    assert_eq!((failed.inputs(), failed.verdict(), failed.ends()), (2..4, Verdict::AUTH, false));
    let ends = answers.next().await.expect("an error").expect_err("it fails");
    assert_eq!((ends.inputs(), ends.verdict(), ends.ends()), (4..6, Verdict::AUTH, true));
    assert!(ends.to_string().starts_with("inputs 4 to 5 have no vectors: "), "{ends}");
    assert!(ends.source().is_some_and(|source| source.is::<EmbedError>()));
    let mut next = 6;
    while let Some(unsent) = answers.next().await {
        let unsent = unsent.expect_err("nothing more is sent");
        assert_eq!((unsent.inputs().start, unsent.verdict(), unsent.error().is_none()), (next, Verdict::AUTH, true));
        next = unsent.inputs().end;
    }
    assert_eq!((next, seen.batches().len()), (1000, 3));
}

#[tokio::test(start_paused = true)]
async fn dropping_it_drops_what_is_in_flight() {
    let seen = Seen::default();
    let service = server(&seen, |_| SECOND * 60, |batch| Some(vectors(batch)));
    let embed = Batches::of("m", numbers(100)).count(1).concurrency(7).embed(service);
    let embed = {
        let mut embed = Box::pin(embed);
        timeout(SECOND, embed.as_mut()).await.expect_err("it takes a minute");
        assert_eq!(seen.in_flight.load(Relaxed), 7);
        embed
    };
    drop(embed);
    assert_eq!((seen.in_flight.load(Relaxed), seen.batches().len()), (0, 7));
}

#[tokio::test(start_paused = true)]
async fn each_request_says_what_else_is_wanted_and_all_vectors_are_as_long() {
    let seen = Seen::default();
    let error = Batches::of("m", numbers(4)).count(2).each(|request| request.dimensions(3)).embed(good(&seen)).await;
    let error = error.expect_err("they have 2");
    assert_eq!((error.inputs(), error.ends()), (0..1, false));

    let longer = |batch: &[String]| match &*batch[0] {
        "0" => Some(vectors(batch)),
        _ => Some(json!({ "data": [{ "embedding": [1, 2, 3] }] })),
    };
    let service = server(&seen, |_| Duration::ZERO, longer);
    let error = Batches::of("m", numbers(2)).count(1).embed(service).await.expect_err("2 and 3 dimensions");
    assert_eq!(error.inputs(), 1..2);
    assert!(error.to_string().starts_with("input 1 has no vector: the server's answer"), "{error}");
    let error = error.into_error().expect("it was sent");
    assert!(error.to_string().contains("vectors of 3 numbers, where those before have 2"));
}

#[tokio::test(start_paused = true)]
async fn every_clone_waits_for_its_own_readiness() {
    let seen = Seen::default();
    let service = ConcurrencyLimit::new(server(&seen, |_| SECOND, |batch| Some(vectors(batch))), 2);
    let answer = Batches::of("m", numbers(20)).count(1).concurrency(10).embed(service).await.expect("all answers");
    assert_in_order(&answer, 20);
    assert_eq!(seen.most.load(Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_as_too_much_is_halved() {
    let seen = Seen::default();
    let few = |batch: &[String]| match batch.len() {
        ..=8 => Ok(vectors(batch)),
        _ => Err(Verdict::PERMANENT.advise(Remedy::Split)),
    };
    let service = judged(&seen, |_| SECOND, few);
    let answer = Batches::of("m", numbers(100)).count(32).concurrency(3).embed(service).await.expect("all answers");
    assert_in_order(&answer, 100);
    assert_eq!(seen.most.load(Relaxed), 3);
    // Three batches of 32 are asked for in 1, 2 and 4 pieces, and the last of 4 at once.
    // One of three batches of 32 is made smaller until an eighth of it passes, and then all are sent like that.
    let sizes: Vec<_> = seen.batches().iter().map(Vec::len).collect();
    assert_eq!(sizes, [[32, 32, 32, 16, 8, 8, 16].as_slice(), &[8; 10], &[4]].concat());
}

#[tokio::test(start_paused = true)]
async fn what_is_too_long_is_found_and_named() {
    let seen = Seen::default();
    let short = |batch: &[String]| match batch.iter().any(|text| text == "41") {
        true => Err(Verdict::PERMANENT.advise(Remedy::Truncate)),
        false => Ok(vectors(batch)),
    };
    let service = judged(&seen, |_| SECOND, short);
    let mut answers = Batches::of("m", numbers(64)).count(64).concurrency(1).send(service);
    let (mut embedded, mut failed) = (0, Vec::new());
    while let Some(answer) = answers.next().await {
        match answer {
            Ok(answer) => embedded += answer.len(),
            Err(error) => failed.push(error.inputs()),
        }
    }
    assert!(failed.iter().eq([&(41..42)]) && embedded == 63, "{failed:?}");
    assert!(seen.batches().len() <= 1 + 2 * 6, "{}", seen.batches().len());
}

#[tokio::test(start_paused = true)]
async fn a_job_of_few_inputs_that_are_all_refused_comes_to_its_end() {
    for lines in 1..=9 {
        for count in 1..=4 {
            for concurrency in 1..=3 {
                let seen = Seen::default();
                let service = judged(&seen, |_| SECOND, |_| Err(Verdict::PERMANENT));
                let mut answers = Batches::of("m", numbers(lines)).count(count).concurrency(concurrency).send(service);
                let mut failed = 0;
                while let Some(answer) = timeout(SECOND * 100, answers.next()).await.expect("it ends") {
                    failed += answer.expect_err("all are refused").inputs().len();
                }
                assert_eq!(failed, lines);
                assert!(seen.batches().len() <= 4 + concurrency, "{lines}, {count}, {concurrency}: {seen:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_are_estimated_until_the_server_has_counted_some() {
    // Of 40 bytes a text, and by the server's count of 20 tokens.
    let texts = || (0..64).map(|number| format!("{number:>40}"));
    let counted = |batch: &[String]| {
        let mut answer = vectors(batch);
        answer["usage"]["total_tokens"] = json!(batch.len() * 20);
        Some(answer)
    };
    let seen = Seen::default();
    let service = server(&seen, |_| Duration::ZERO, counted);
    let answer = Batches::of("m", texts()).tokens(80).concurrency(1).embed(service).await.expect("all answers");
    assert_in_order(&answer, 64);
    let sizes: Vec<_> = seen.batches().iter().map(Vec::len).collect();
    // Eight texts of ten tokens, as it seems at first, and four of twenty from then on.
    assert_eq!(sizes, [[8].as_slice(), &[4; 14]].concat());
}

#[tokio::test]
async fn a_stream_is_sent_as_it_comes_and_lingers_for_a_batch() {
    tokio::time::pause();
    let (texts, receiver) = tokio::sync::mpsc::channel(100);
    let stream = futures_util::stream::unfold(receiver, |mut texts| async { Some((texts.recv().await?, texts)) });
    let seen = Seen::default();
    let batches = Batches::of_stream("m", Box::pin(stream)).linger(SECOND).count(4);
    let mut answers = batches.send(good(&seen));
    let feed = async {
        for number in 0..10 {
            texts.send(number.to_string()).await.expect("it is read");
            // Three come together, and then a pause that is too long to wait for.
            sleep(if number % 3 == 2 { SECOND * 3 } else { SECOND / 10 }).await;
        }
        drop(texts);
    };
    let read = async {
        let mut all = 0;
        while let Some(answer) = answers.next().await {
            all += answer.expect("all answers").len();
        }
        all
    };
    let ((), all) = tokio::join!(feed, read);
    assert_eq!(all, 10);
    assert_eq!(seen.batches().iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 3, 1]);
}

#[test]
fn only_a_refusal_as_too_much_has_halves() {
    let request = EmbedRequest::new("m", ["a", "b", "c"]).dimensions(2);
    for remedy in [Remedy::Split, Remedy::Truncate] {
        let verdict = Verdict::PERMANENT.advise(remedy);
        let halves = request.halves(verdict).expect("there are three");
        assert_eq!(halves.each_ref().map(EmbedRequest::len), [1, 2]);
        assert!(halves[0].halves(verdict).is_none());
        assert!(request.halves(Verdict::TRANSIENT.advise(remedy)).is_none());
    }
    assert!(request.halves(Verdict::PERMANENT).is_none());
    assert!(request.halves(Verdict::PERMANENT.advise(Remedy::Reauth)).is_none());
}

#[test]
fn it_can_be_sent_to_another_thread() {
    fn assert_send(_: &impl Send) {}
    let seen = Seen::default();
    let service = server(&seen, |_| Duration::ZERO, |batch| Some(vectors(batch)));
    assert_send(&Batches::of("m", ["0", "1"]).embed(service.clone()));
    assert_send(&Batches::of("m", ["0", "1"]).send(service));
}
