//! What a search asks, on one thread and in virtual time.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    convert::Infallible,
    future::pending,
    rc::Rc,
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use search_service::{DataSet, Limits, Search, demo};
use serde_json::json;
use tokio::{
    task::{LocalSet, spawn_local},
    time::{Instant, sleep},
};
use tower::{Layer, ServiceExt, service_fn};
use trysail::{HttpLayer, HttpRequest};

/// As handlers of actix are, which stay on their thread.
#[tokio::test(start_paused = true)]
async fn a_search_runs_on_a_local_set_over_a_client_that_cannot_leave_it() {
    let asked = Rc::new(Cell::new(0));
    let count = Rc::clone(&asked);
    let server = demo::server(30, 7);
    let client = service_fn(move |request: HttpRequest| {
        count.set(count.get() + 1);
        server.clone().oneshot(request)
    });
    let search = Rc::new(Search::new(HttpLayer::new().layer(client), &Limits::default()));
    let set = demo::data_set("http://demo");
    let handler = async move {
        let texts = ["a log of voyage 1".to_owned(), "a log of voyage 2".to_owned()];
        assert_eq!(search.dense(&set, "storm").await.unwrap(), demo::dense("storm"));
        assert_eq!(search.sparse(&set, "storm").await.unwrap(), demo::sparse("storm"));
        let best = search.rank(&set, "storm", texts.to_vec(), Some(1)).await.unwrap().answer.ranks()[0];
        assert_eq!(best.score(), texts.iter().map(|text| demo::score("storm", text)).fold(0.0, f64::max));
        for (found, text) in search.ingest(&set, &texts).await.unwrap().into_iter().zip(&texts) {
            let found = found.unwrap();
            assert_eq!((found.dense, found.sparse), (demo::dense(text), demo::sparse(text)));
        }
    };
    LocalSet::new().run_until(async { spawn_local(handler).await.unwrap() }).await;
    assert!(asked.get() >= 5);
}

#[tokio::test(start_paused = true)]
async fn a_ranking_has_the_time_of_one_query_however_many_parts_it_has() {
    let client = service_fn(|_: HttpRequest| pending::<Result<Response<Full<Bytes>>, Infallible>>());
    let search = Search::new(HttpLayer::new().layer(client), &Limits::default());
    let texts = (0..200).map(|n| n.to_string()).collect();
    let start = Instant::now();
    let ranking = search.rank(&demo::data_set("http://demo"), "storm", texts, None).await.unwrap();
    assert!(start.elapsed() <= Duration::from_millis(5_001), "{:?}", start.elapsed());
    assert!(ranking.missing.iter().flat_map(|part| part.inputs()).eq(0..200), "{ranking:?}");
}

#[tokio::test]
async fn a_server_is_asked_as_the_data_set_says() {
    let set: DataSet = serde_json::from_value(json!({
        "dense": {
            "kind": "openai", "base": "http://dense/v1", "model": "m", "key": "sk-tenant",
            "query": {"api-version": "2023-05-15"}, "fields": {"truncate": true},
        },
        "sparse": {"kind": "tei", "base": "http://sparse", "fields": {"encode_type": "query", "truncate": true}},
        "rerank": {"kind": "cohere", "base": "http://rerank", "model": "rerank-v3.5", "key": "co-tenant"},
    }))
    .unwrap();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let spy = Rc::clone(&seen);
    let client = service_fn(move |request: HttpRequest| {
        let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        spy.borrow_mut().push((request.uri().to_string(), header("authorization"), header("api-key")));
        async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("{}"))) }
    });
    let search = Search::new(HttpLayer::new().layer(client), &Limits::default());
    assert!(search.dense(&set, "a").await.is_err());
    assert!(search.sparse(&set, "a").await.is_err());
    assert_eq!(search.rank(&set, "a", vec!["b".to_owned()], None).await.unwrap().missing.len(), 1);
    let key = |key: &str| (Some(format!("Bearer {key}")), Some(key.to_owned()));
    let expected = [
        ("http://dense/v1/embeddings?api-version=2023-05-15", key("sk-tenant")),
        ("http://sparse/embed_sparse", (None, None)),
        ("http://rerank/v2/rerank", key("co-tenant")),
    ];
    let expected = expected.map(|(uri, (bearer, key))| (uri.to_owned(), bearer, key));
    let mut seen = seen.borrow().clone();
    seen.dedup();
    assert_eq!(seen, expected);
    assert!(!format!("{search:?} {set:?}").contains("tenant"));
}

#[test]
fn the_data_sets_of_the_page_can_be_read() {
    let page = include_str!("../README.md");
    let (_, rest) = page.split_once("```json").unwrap();
    let (sets, _) = rest.split_once("```").unwrap();
    let sets: BTreeMap<String, DataSet> = serde_json::from_str(sets).unwrap();
    assert_eq!(sets["sea"].sparse.base, "http://sparse:8080");
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_was_raised_holds_for_the_probe_of_an_open_circuit_too() {
    let up = Rc::new(Cell::new(false));
    let is_up = Rc::clone(&up);
    let server = demo::server(0, 1);
    let client = service_fn(move |request: HttpRequest| {
        let (is_up, server) = (is_up.get(), server.clone());
        async move {
            sleep(Duration::from_millis(if is_up { 4_000 } else { 400 })).await;
            match is_up {
                true => server.oneshot(request).await,
                false => Ok(Response::builder().status(503).body(Full::default()).unwrap()),
            }
        }
    });
    let limits = Limits::default();
    let search = Search::new(HttpLayer::new().layer(client), &limits);
    let set = demo::data_set("http://demo");
    for _ in 0..5 {
        search.dense(&set, "storm").await.unwrap_err();
    }
    up.set(true);
    limits.set(&[("query".to_owned(), 30_000), ("query_attempt".to_owned(), 10_000)].into()).unwrap();
    sleep(Duration::from_secs(15)).await;
    search.dense(&set, "storm").await.unwrap();
    // A circuit that had given its probe up would let one of them through.
    assert!(tokio::try_join!(search.dense(&set, "storm"), search.dense(&set, "storm")).is_ok());
}

#[tokio::test(start_paused = true)]
async fn data_sets_share_what_is_known_of_a_server_if_they_say_the_same_of_it() {
    let asked = Rc::new(Cell::new(0));
    let count = Rc::clone(&asked);
    let client = service_fn(move |_: Request<Full<Bytes>>| {
        count.set(count.get() + 1);
        async {
            sleep(Duration::from_millis(400)).await;
            let mut down = Response::new(Full::<Bytes>::default());
            *down.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            Ok::<_, Infallible>(down)
        }
    });
    let search = Search::new(HttpLayer::new().layer(client), &Limits::default());
    let [first, same, mut other] = [(); 3].map(|()| demo::data_set("http://demo"));
    other.dense.key = Some(serde_json::from_value(json!("sk-other")).unwrap());
    for _ in 0..5 {
        search.dense(&first, "a").await.unwrap_err();
    }
    let before = asked.get();
    search.dense(&same, "a").await.unwrap_err();
    assert_eq!(asked.get(), before, "its circuit is open");
    search.dense(&other, "a").await.unwrap_err();
    assert!(asked.get() > before, "another account is another circuit");
}
