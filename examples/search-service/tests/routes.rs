//! The routes, over real sockets.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use axum::{Router, body::Body};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use metrics_exporter_prometheus::PrometheusBuilder;
use search_service::{App, Limits, Search, demo, router};
use serde::Deserialize;
use serde_json::{Value, json};
use tower::ServiceExt;

async fn ask(app: &Router, method: &str, path: &str, body: Value) -> (StatusCode, String) {
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    let answer = app.clone().oneshot(request.body(Body::from(body.to_string())).unwrap()).await.unwrap();
    let (head, body) = answer.into_parts();
    (head.status, String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap())
}

fn floats(list: &Value) -> Vec<f32> {
    Vec::deserialize(list).unwrap()
}

#[tokio::test]
async fn a_search_product_has_all_it_needs() {
    let metrics = PrometheusBuilder::new().install_recorder().unwrap();
    let limits = Limits::default();
    let sets = [("demo".to_owned(), demo::data_set(&demo::serve(0).await.unwrap()))].into();
    let app = router(App { sets, search: Search::new(trysail::client(), &limits), limits, metrics });
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();

    let (status, found) = ask(&app, "POST", "/demo/query", json!("storm")).await;
    assert_eq!(status, StatusCode::OK, "{found}");
    let found = json(&found);
    assert_eq!((floats(&found["dense"]), &found["sparse"]), (demo::dense("storm"), &json!(demo::sparse("storm"))));

    let texts: Vec<_> = (0..50).map(|n| format!("voyage {n}")).collect();
    let best = texts.iter().map(|text| demo::score("storm", text)).fold(0.0, f64::max);
    let (_, found) = ask(&app, "POST", "/demo/rerank", json!({"query": "storm", "texts": texts, "top_n": 3})).await;
    let found = json(&found);
    assert_eq!((found["ranks"].as_array().unwrap().len(), &found["missing"]), (3, &json!([])));
    assert_eq!(found["ranks"][0]["score"], best);

    let (_, found) = ask(&app, "POST", "/demo/texts", json!(texts)).await;
    assert_eq!(floats(&json(&found)[49]["dense"]), demo::dense("voyage 49"));

    let (_, set) = ask(&app, "PUT", "/admin/limits", json!({"query": 1})).await;
    assert_eq!(json(&set)["query"], 1);
    let (status, why) = ask(&app, "POST", "/demo/query", json!("storm")).await;
    assert_eq!((status, &*why), (StatusCode::GATEWAY_TIMEOUT, "no answer within the overall limit of 1ms"));
    for nonsense in [json!({"query": 9_000, "querry": 1}), json!({"query": 0}), json!({"query": 600_001})] {
        assert_eq!(ask(&app, "PUT", "/admin/limits", nonsense).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(json(&ask(&app, "GET", "/admin/limits", json!(null)).await.1)["query"], 1, "all or none");

    let (_, page) = ask(&app, "GET", "/metrics", json!(null)).await;
    for metric in ["trysail_calls_total", "trysail_circuit_state", r#"model="demo-rerank""#] {
        assert!(page.contains(metric), "{metric}: {page}");
    }
    assert_eq!(ask(&app, "POST", "/nothing/query", json!("storm")).await.0, StatusCode::NOT_FOUND);
}
