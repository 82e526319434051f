//! Sparse vectors and scores, over a service that answers from a script.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::{
    convert::Infallible,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower::{Service, ServiceExt, service_fn};
use trysail_core::{Class, Classified, Failure, Limit, Remedy, Replay, Verdict};
use trysail_embeddings::{
    Chunks, EmbedError, EmbedRequest, Embeddings, Endpoint, Rerank, RerankRequest, RerankResponse, Sparse,
};
use trysail_http::{Deadline, Idempotent, OrDeadline};

type Judged = Failure<Response<Bytes>, io::Error>;

/// A client that answers what `answer` makes of path and body.
fn client(
    answer: impl Fn(&str, Value) -> Result<String, Box<Judged>> + Clone,
) -> impl Service<Request<Full<Bytes>>, Response = Response<Bytes>, Error = Judged> + Clone {
    service_fn(move |request: Request<Full<Bytes>>| {
        let answer = answer.clone();
        async move {
            let (head, body) = request.into_parts();
            let body: Result<_, Infallible> = body.collect().await;
            let body = serde_json::from_slice(&body.unwrap().to_bytes()).unwrap();
            answer(&head.uri.to_string(), body).map(|answer| Response::new(answer.into())).map_err(|refusal| *refusal)
        }
    })
}

fn tei() -> Endpoint {
    Endpoint::tei("http://localhost:1").unwrap()
}

async fn sparse(body: &'static str, texts: usize) -> Result<Vec<Vec<(u32, f32)>>, EmbedError> {
    let sparse = Sparse::new(client(move |_, _| Ok(body.into())), tei()).unwrap();
    sparse.oneshot(EmbedRequest::new("m", vec!["wind"; texts])).await.map(|answer| answer.into_vectors())
}

async fn rerank(endpoint: Endpoint, body: &'static str, request: RerankRequest) -> Result<Vec<usize>, EmbedError> {
    let rerank = Rerank::new(client(move |_, _| Ok(body.into())), endpoint).unwrap();
    rerank.oneshot(request).await.map(|answer| indices(&answer))
}

fn indices(answer: &RerankResponse) -> Vec<usize> {
    answer.ranks().iter().map(|rank| rank.index()).collect()
}

fn refusal(verdict: Verdict, status: u16, body: &str) -> Box<Judged> {
    let response = Response::builder().status(status).body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
    Box::new(Failure::Response { verdict, status: None, response })
}

#[tokio::test]
async fn each_family_is_asked_as_it_wants_to_be() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let spy = |seen: &Arc<Mutex<Vec<(String, Value)>>>, body: &'static str| {
        let seen = Arc::clone(seen);
        client(move |path, sent| {
            seen.lock().unwrap().push((path.into(), sent));
            Ok(body.into())
        })
    };
    let endpoint = tei().field("truncate", true).unwrap();
    let request = EmbedRequest::new("m", ["a"]).field("encode_type", "query").unwrap();
    Sparse::new(spy(&seen, "[[]]"), endpoint.clone()).unwrap().oneshot(request).await.unwrap();
    let base = "http://localhost:1/v1";
    let families = [
        endpoint,
        Endpoint::openai(base).unwrap(),
        Endpoint::cohere("http://localhost:1").unwrap(),
        Endpoint::voyage(base).unwrap(),
    ];
    for endpoint in families {
        let request = RerankRequest::new("m", "q", ["a", "b"]).top_n(1);
        let rerank = Rerank::new(spy(&seen, r#"{"results":[{"index":1,"relevance_score":1}]}"#), endpoint).unwrap();
        _ = rerank.oneshot(request).await;
    }
    let documents = json!({"model": "m", "query": "q", "documents": ["a", "b"], "top_n": 1});
    let expected = [
        ("/embed_sparse", json!({"inputs": ["a"], "encode_type": "query", "truncate": true})),
        ("/rerank", json!({"query": "q", "texts": ["a", "b"], "truncate": true})),
        ("/v1/rerank", documents.clone()),
        ("/v2/rerank", documents),
        ("/v1/rerank", json!({"model": "m", "query": "q", "documents": ["a", "b"], "top_k": 1, "truncation": false})),
    ];
    let expected = expected.map(|(path, body)| (format!("http://localhost:1{path}"), body));
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[tokio::test]
async fn voyage_is_asked_not_to_cut_what_is_too_long() {
    let answer = |path: &str, sent: Value| {
        assert_eq!(path, "http://localhost:1/v1/embeddings");
        let asked = json!({"encoding_format": "base64", "truncation": false, "output_dimension": 2, "model": "m", "input": ["a"]});
        assert_eq!(sent, asked);
        Ok(r#"{"data":[{"embedding":[1,0],"index":0}],"usage":{"total_tokens":1}}"#.into())
    };
    let voyage = Embeddings::new(client(answer), Endpoint::voyage("http://localhost:1/v1").unwrap());
    voyage.oneshot(EmbedRequest::new("m", ["a"]).dimensions(2)).await.unwrap();
}

#[tokio::test]
async fn scores_of_any_family_come_back_best_first() {
    for body in [
        r#"[{"index":2,"score":0.1},{"index":0,"score":-3},{"index":1,"score":0.9}]"#,
        r#"{"model":"m","results":[{"index":1,"relevance_score":0.9},{"index":2,"relevance_score":0.1,"document":{"text":"c"}},{"index":0,"relevance_score":-3.5}],"usage":{"total_tokens":9}}"#,
        r#"{"object":"list","data":[{"index":1,"relevance_score":0.9},{"index":0,"relevance_score":0},{"index":2,"relevance_score":0.2}]}"#,
        r#"{"id":"x","results":[{"index":0,"relevance_score":0,"score":7},{"index":1.0,"relevance_score":2},{"index":2,"relevance_score":1}],"meta":{}}"#,
    ] {
        let found = rerank(tei(), body, RerankRequest::new("m", "q", ["a", "b", "c"])).await.unwrap();
        assert_eq!(found, [1, 2, 0], "{body}");
    }
}

#[tokio::test]
async fn equal_scores_keep_the_order_of_the_request() {
    let body = r#"[{"index":2,"score":0.5},{"index":0,"score":0.5},{"index":1,"score":0.5}]"#;
    assert_eq!(rerank(tei(), body, RerankRequest::new("m", "q", ["a", "b", "c"])).await.unwrap(), [0, 1, 2]);
}

#[tokio::test]
async fn wrong_scores_are_a_failed_attempt() {
    for (body, rule, class) in [
        (r#"[{"index":0,"score":1}]"#, "answer/count", Verdict::MALFORMED),
        ("[]", "answer/count", Verdict::MALFORMED),
        (r#"[{"index":0,"score":1},{"index":1,"score":1},{"index":2,"score":1}]"#, "answer/count", Verdict::MALFORMED),
        (r#"[{"index":0,"score":1},{"index":0,"score":1}]"#, "answer/index", Verdict::MALFORMED),
        (r#"[{"index":0,"score":1},{"index":2,"score":1}]"#, "answer/index", Verdict::MALFORMED),
        (r#"[{"index":0,"score":1},{"index":-1,"score":1}]"#, "answer/index", Verdict::MALFORMED),
        (r#"[{"index":0,"score":1},{"index":18446744073709551615,"score":1}]"#, "answer/index", Verdict::MALFORMED),
        (r#"[{"index":0,"score":1},{"index":0.5,"score":1}]"#, "answer/index", Verdict::MALFORMED),
        (r#"[{"index":0,"score":1},{"index":"one","score":1}]"#, "answer/index", Verdict::MALFORMED),
        (r#"[{"score":1},{"score":1}]"#, "answer/index", Verdict::MALFORMED),
        (r#"[{"index":0,"score":1},{"index":1,"score":null}]"#, "answer/not-finite", Verdict::MALFORMED),
        (r#"[{"index":0,"score":1},{"index":1}]"#, "answer/not-finite", Verdict::MALFORMED),
        (r#"[{"index":0,"score":1},{"index":1,"score":"NaN"}]"#, "answer/not-finite", Verdict::MALFORMED),
        (r#"[{"index":0,"score":1},{"index":1,"score":[1]}]"#, "answer/not-finite", Verdict::MALFORMED),
        (r#"[{"index":0,"score":1},{"index":1,"score":NaN}]"#, "answer/not-json", Verdict::MALFORMED),
        (r#"[{"index":0,"score":1},{"index":1,"score":1e999}]"#, "answer/not-json", Verdict::MALFORMED),
        (r#"[{"index":0,"score":1},{"index":1,"#, "answer/ends-early", Verdict::MALFORMED),
        ("", "answer/empty", Verdict::MALFORMED),
        ("[0.5, 0.5]", "answer/no-scores", Verdict::MALFORMED.once().neutral()),
        (r#"{"hello":"world"}"#, "answer/no-scores", Verdict::MALFORMED.once().neutral()),
        ("<html>", "answer/page", Verdict::MALFORMED.once().neutral()),
    ] {
        let error = rerank(tei(), body, RerankRequest::new("m", "q", ["a", "b"])).await.unwrap_err();
        assert_eq!((error.rule(), error.verdict()), (Some(rule), class), "{body}: {error}");
    }
}

#[tokio::test]
async fn the_best_few_are_told_from_a_short_answer() {
    let request = |top_n| RerankRequest::new("m", "q", ["a", "b", "c"]).top_n(top_n);
    let openai = || Endpoint::openai("http://localhost:1/v1").unwrap();
    let [all, two] = [
        r#"[{"index":2,"score":3},{"index":0,"score":2},{"index":1,"score":1}]"#,
        r#"[{"index":2,"score":3},{"index":0,"score":2}]"#,
    ];
    assert_eq!(rerank(openai(), two, request(2)).await.unwrap(), [2, 0]);
    assert_eq!(rerank(openai(), all, request(2)).await.unwrap(), [2, 0], "a server may ignore it");
    assert_eq!(rerank(tei(), all, request(2)).await.unwrap(), [2, 0], "a server may not know it");
    assert_eq!(rerank(openai(), all, request(9)).await.unwrap(), [2, 0, 1]);
    for (endpoint, request) in
        [(openai(), request(1)), (openai(), request(3)), (openai(), request(9)), (tei(), request(2))]
    {
        let error = rerank(endpoint, two, request).await.unwrap_err();
        assert_eq!(error.rule(), Some("answer/count"), "{error}");
    }
}

#[tokio::test]
async fn wrong_sparse_vectors_are_a_failed_attempt() {
    assert_eq!(
        sparse(r#"[[{"index":7,"value":0.5},{"index":1,"value":2}]]"#, 1).await.unwrap(),
        [[(1, 2.0), (7, 0.5)]]
    );
    assert_eq!(sparse("[[],[]]", 2).await.unwrap(), [[], []], "no token matters");
    for (body, rule) in [
        (r#"[[{"index":1,"value":2}]]"#, "answer/count"),
        (r#"[[{"index":1,"value":2}],[{"index":1,"value":null}]]"#, "answer/not-finite"),
        (r#"[[{"index":1,"value":2}],[{"index":1,"value":1e300}]]"#, "answer/not-finite"),
        (r#"[[{"index":1,"value":2}],[{"index":1}]]"#, "answer/not-finite"),
        (r#"[[{"index":1,"value":2}],[{"index":1,"value":"Infinity"}]]"#, "answer/not-finite"),
        (r#"[[{"index":1,"value":2}],[{"value":1}]]"#, "answer/token"),
        (r#"[[{"index":1,"value":2}],[{"index":-1,"value":1}]]"#, "answer/token"),
        (r#"[[{"index":1,"value":2}],[{"index":4294967296,"value":1}]]"#, "answer/token"),
        (r#"[[{"index":1,"value":2}],[{"index":3,"value":1},{"index":3,"value":1}]]"#, "answer/token"),
        (r#"[[{"index":1,"value":2}],[{"index":3"#, "answer/ends-early"),
        (r#"[[{"index":1,"value":2}],[{"index":3,"value":NaN}]]"#, "answer/not-json"),
        ("[[0.5],[0.5]]", "answer/no-vectors"),
    ] {
        let error = sparse(body, 2).await.unwrap_err();
        assert_eq!(error.rule(), Some(rule), "{body}: {error}");
        assert_eq!(error.verdict().class(), Class::Malformed);
    }
}

#[tokio::test]
async fn a_success_around_an_error_is_that_error() {
    for body in [r#"{"error":{"message":"Too Many Requests"}}"#, r#"{"results":[],"message":"Too Many Requests"}"#] {
        let error = rerank(tei(), body, RerankRequest::new("m", "q", ["a"])).await.unwrap_err();
        assert_eq!(error.verdict().class(), Class::Throttled, "{error}");
    }
}

#[tokio::test]
async fn neither_texts_nor_query_nor_key_are_in_an_error() {
    let said =
        r#"{"error":{"message":"cannot rank 'who buried the treasure' for hunter2-hunter2: the skipper did it"}}"#;
    let refuses = client(move |_, _| Err(refusal(Verdict::PERMANENT, 400, said)));
    let rerank = Rerank::new(refuses, tei().key("hunter2-hunter2").unwrap()).unwrap();
    let request = RerankRequest::new("m", "who buried the treasure", ["the skipper did it"]);
    let shown = format!("{request:?}");
    let error = rerank.oneshot(request).await.unwrap_err();
    let all = format!("{error} {error:?} {shown}");
    assert_eq!(error.to_string(), "the server answered 400: cannot rank '…");
    assert!(!all.contains("treasure") && !all.contains("skipper") && !all.contains("hunter2"), "{all}");
}

#[test]
fn an_endpoint_that_has_no_such_job_is_an_error_at_once() {
    let ollama = Endpoint::ollama("http://localhost:1").unwrap();
    let error = Sparse::new((), ollama.clone()).unwrap_err().to_string();
    assert_eq!(error, "a server such as http://localhost:11434 has no sparse vectors");
    assert!(Rerank::new((), ollama).is_err());
    assert!(Rerank::new((), tei().field("query", "mine").unwrap()).is_err());
    assert!(RerankRequest::new("m", "q", ["a"]).field("top_n", 3).is_err());
}

#[test]
fn a_retry_and_a_limit_treat_it_as_any_request() {
    let mut request = RerankRequest::new("m", "q", ["a"]).deadline(Deadline::within(Duration::ZERO));
    assert_eq!(Replay::left(&Idempotent, &request), Some(Duration::ZERO));
    assert_eq!(OrDeadline(Duration::from_secs(1)).left(&request), Some(Duration::ZERO));
    assert!(trysail_providers::Idempotent.replay(&request).is_some());
    trysail_providers::Idempotent.mark(&mut request, 1);
    assert!(Idempotent.replay(&request).is_none(), "an outer retry has marked it");
}

#[tokio::test]
async fn all_attempts_share_one_idempotency_key_and_parts_have_their_own() {
    let keys = Arc::new(Mutex::new(Vec::new()));
    let spy = Arc::clone(&keys);
    let client = service_fn(move |request: Request<Full<Bytes>>| {
        spy.lock().unwrap().push(request.headers()["idempotency-key"].clone());
        async { Ok::<_, Judged>(Response::new(Bytes::from_static(br#"{"results":[{"index":0,"score":1}]}"#))) }
    });
    let rerank = Rerank::new(client, Endpoint::openai("http://localhost:1/v1").unwrap()).unwrap();
    let request = RerankRequest::new("m", "q", ["a", "b"]).top_n(1).keyed();
    let again = Idempotent.replay(&request).unwrap();
    rerank.clone().oneshot(request.clone()).await.unwrap();
    rerank.clone().oneshot(again).await.unwrap();
    let ranking = Chunks::of(request).count(1).rank(rerank).await;
    assert!(ranking.missing.is_empty());
    let keys = keys.lock().unwrap();
    assert_eq!((keys.len(), &keys[0]), (4, &keys[1]));
    assert!(keys[1] != keys[2] && keys[2] != keys[3]);
}

/// Scores each text by the number in it; refuses more than `most` at once.
fn scoring(most: usize) -> impl Service<RerankRequest, Response = RerankResponse, Error = EmbedError> + Clone {
    let answer = move |_: &str, body: Value| {
        let texts = body["texts"].as_array().unwrap();
        if texts.len() > most {
            return Err(refusal(Verdict::PERMANENT.advise(Remedy::Split), 413, ""));
        }
        if texts.iter().any(|text| text == "reef") {
            return Err(refusal(Verdict::TRANSIENT, 503, ""));
        }
        let score = |text: &Value| text.as_str().unwrap().parse::<f64>().unwrap();
        let items = texts.iter().enumerate().map(|(index, text)| json!({"index": index, "score": score(text)}));
        Ok(Value::from_iter(items).to_string())
    };
    Rerank::new(client(answer), tei()).unwrap()
}

#[tokio::test]
async fn scores_of_parts_are_joined_by_position_before_the_best_are_taken() {
    let texts = (0..50).map(|n| ((n * 37) % 50).to_string());
    let ranking = Chunks::of(RerankRequest::new("m", "q", texts).top_n(3)).concurrency(2).rank(scoring(7)).await;
    let best = ranking.answer.ranks().iter().map(|rank| (rank.index() * 37 % 50, rank.score())).collect::<Vec<_>>();
    assert_eq!(best, [(49, 49.0), (48, 48.0), (47, 47.0)]);
    assert!(ranking.missing.is_empty());
}

#[tokio::test]
async fn a_part_that_fails_names_a_reason_for_its_texts_alone() {
    let texts = (0..50).map(|n| if n == 25 { "reef".to_owned() } else { n.to_string() });
    let ranking = Chunks::of(RerankRequest::new("m", "q", texts)).rank(scoring(20)).await;
    assert_eq!(ranking.answer.len(), 30);
    let [missing] = &ranking.missing[..] else { panic!("{:?}", ranking.missing) };
    assert_eq!(missing.inputs(), 20..40);
    assert_eq!(missing.to_string(), "inputs 20 to 39 have no scores: the server answered 503");
}

#[tokio::test]
async fn a_text_that_is_refused_is_refused_alone_and_a_model_that_refuses_all_is_asked_a_few_times() {
    let refuses = |all: bool| {
        let requests = Arc::new(Mutex::new(0));
        let seen = Arc::clone(&requests);
        let answer = move |_: &str, body: Value| {
            *seen.lock().unwrap() += 1;
            let texts = body["inputs"].as_array().unwrap();
            if all || texts.iter().any(|text| text == "41") {
                return Err(refusal(Verdict::PERMANENT, 400, ""));
            }
            Ok(Value::from_iter(texts.iter().map(|_| json!([{"index": 1, "value": 1}]))).to_string())
        };
        (Sparse::new(client(answer), tei()).unwrap(), requests)
    };
    for all in [false, true] {
        let (sparse, requests) = refuses(all);
        let parts = Chunks::of(EmbedRequest::new("m", (0..90).map(|n| n.to_string()))).embed(sparse).await;
        let failed: Vec<_> = parts.iter().filter_map(|part| Some(part.as_ref().err()?.inputs())).flatten().collect();
        if all {
            assert_eq!(failed, (0..90).collect::<Vec<_>>());
            assert!(*requests.lock().unwrap() <= 3 + 2 * (4 + 4), "{requests:?}");
        } else {
            assert_eq!(failed, [41]);
            assert!(*requests.lock().unwrap() <= 3 + 2 * 5, "{requests:?}");
        }
    }
}

#[tokio::test]
async fn sparse_vectors_come_in_batches_of_thirty_and_in_order() {
    let sizes = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&sizes);
    let answer = move |_: &str, body: Value| {
        let texts = body["inputs"].as_array().unwrap();
        seen.lock().unwrap().push(texts.len());
        if texts.len() > 1 && texts.iter().any(|text| text == "61") {
            return Err(refusal(Verdict::PERMANENT.advise(Remedy::Split), 413, ""));
        }
        let vector = |text: &Value| json!([{"index": text.as_str().unwrap().parse::<u32>().unwrap(), "value": 1}]);
        Ok(Value::from_iter(texts.iter().map(vector)).to_string())
    };
    let sparse = Sparse::new(client(answer), tei()).unwrap();
    let parts = Chunks::of(EmbedRequest::new("m", (0..65).map(|n| n.to_string()))).embed(sparse).await;
    let tokens = parts.into_iter().flat_map(|part| {
        let (inputs, answer) = part.unwrap();
        inputs.zip(answer.into_vectors()).map(|(input, vector)| (input as u32, vector[0].0)).collect::<Vec<_>>()
    });
    assert!(tokens.eq((0..65).map(|n| (n, n))));
    let mut sizes = sizes.lock().unwrap().clone();
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 1, 2, 3, 5, 30, 30], "halved until what is too much stands alone");
}
