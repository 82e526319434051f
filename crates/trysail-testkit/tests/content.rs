//! What the faults of content do to an answer.

use serde_json::{Value, json};
use trysail_testkit::EmbeddingServer;

use crate::exchange::embed;

const TEXTS: [&str; 5] = ["one", "two", "three", "four", "five"];

async fn data(plan: &str, encoding: &str, texts: &[&str]) -> Vec<Value> {
    let server = EmbeddingServer::new().faults(plan.parse().expect("a plan")).bind().await.expect("a free port");
    let question = json!({ "model": "potion-base-2M", "input": texts, "encoding_format": encoding });
    let answer = embed(server.addr(), &question).await;
    assert_eq!(answer.status(), 200);
    answer.json()["data"].as_array().expect("a list").clone()
}

fn indices(data: &[Value]) -> Vec<u64> {
    data.iter().filter_map(|entry| entry["index"].as_u64()).collect()
}

#[tokio::test]
async fn entries_go_missing() {
    assert_eq!(indices(&data("wrong-count:100", "float", &TEXTS).await), [0, 1, 2, 3]);
    assert!(data("empty:100", "float", &TEXTS).await.is_empty());
    assert!(data("wrong-count:100", "float", &["one"]).await.is_empty());
}

#[tokio::test]
async fn entries_are_repeated() {
    let repeated = data("duplicate:100", "float", &TEXTS).await;
    assert_eq!(indices(&repeated), [0, 1, 2, 3, 0]);
    assert_eq!(repeated[0], repeated[4]);
    assert_eq!(indices(&data("duplicate:100", "float", &["one"]).await), [0, 0]);
}

#[tokio::test]
async fn shuffled_entries_keep_their_numbers() {
    let (mut shuffled, ordered) = (data("shuffled:100", "float", &TEXTS).await, data("", "float", &TEXTS).await);
    assert!(shuffled.iter().zip(&ordered).all(|(shuffled, ordered)| shuffled != ordered));
    shuffled.sort_by_key(|entry| entry["index"].as_u64());
    assert_eq!(shuffled, ordered);
}

#[tokio::test]
async fn one_number_is_no_number() {
    let floats = data("nan:100", "float", &TEXTS).await;
    assert_eq!(floats[0]["embedding"][0], Value::Null);
    assert_eq!(floats[0]["embedding"].as_array().unwrap().iter().filter(|number| number.is_null()).count(), 1);
    let base64 = data("nan:100", "base64", &TEXTS).await;
    // NaN is 0x7fc00000, little-endian.
    assert!(base64[0]["embedding"].as_str().unwrap().starts_with("AADA"));
}
