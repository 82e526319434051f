//! What one writes without us: a struct for the answer, and no check of what is in it.

use std::borrow::Cow;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::Deserialize;

use crate::decode::Decode;

#[derive(Deserialize)]
struct Answer<T> {
    data: Vec<Item<T>>,
}

#[derive(Deserialize)]
struct Item<T> {
    embedding: T,
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

pub(crate) fn serde_json(body: Bytes) -> Decode {
    Box::new(move || sum(serde_json::from_slice::<Answer<Vec<f32>>>(&body).expect(GOOD)))
}

pub(crate) fn sonic(body: Bytes) -> Decode {
    Box::new(move || sum(sonic_rs::from_slice::<Answer<Vec<f32>>>(&body).expect(GOOD)))
}

/// It writes into the text it reads, which is copied for it: several may hold the body of an answer.
pub(crate) fn simd_json(body: Bytes) -> Decode {
    Box::new(move || sum(simd_json::from_slice::<Answer<Vec<f32>>>(&mut body.to_vec()).expect(GOOD)))
}

pub(crate) fn serde_json_base64(body: Bytes) -> Decode {
    Box::new(move || {
        let answer: Answer<Text<'_>> = serde_json::from_slice(&body).expect(GOOD);
        sum(floats(answer, |text| BASE64_STANDARD.decode(text).expect(GOOD)))
    })
}

pub(crate) fn serde_json_base64_simd(body: Bytes) -> Decode {
    Box::new(move || {
        let answer: Answer<Text<'_>> = serde_json::from_slice(&body).expect(GOOD);
        sum(floats(answer, |text| base64_simd::STANDARD.decode_to_vec(text).expect(GOOD)))
    })
}

pub(crate) fn sonic_base64_simd(body: Bytes) -> Decode {
    Box::new(move || {
        let answer: Answer<Text<'_>> = sonic_rs::from_slice(&body).expect(GOOD);
        sum(floats(answer, |text| base64_simd::STANDARD.decode_to_vec(text).expect(GOOD)))
    })
}

fn floats(answer: Answer<Text<'_>>, decode: impl Fn(&str) -> Vec<u8>) -> Answer<Vec<f32>> {
    let float = |bytes: &[u8; 4]| f32::from_le_bytes(*bytes);
    let vector = |Item { embedding: Text(text) }| decode(&text).as_chunks().0.iter().map(float).collect();
    Answer { data: answer.data.into_iter().map(|item| Item { embedding: vector(item) }).collect() }
}

fn sum(answer: Answer<Vec<f32>>) -> f64 {
    std::hint::black_box(&answer).data.iter().map(|item| f64::from(item.embedding[0])).sum()
}

const GOOD: &str = "the answer is a good one";
