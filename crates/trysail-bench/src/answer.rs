//! Answers of an embedding server, for so many inputs.

use std::fmt::Write;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;

/// Vectors as base64 strings.
pub(crate) fn base64(vectors: usize) -> Bytes {
    answer(vectors, |vector| {
        let bytes: Vec<_> = vector.iter().flat_map(|value| value.to_le_bytes()).collect();
        format!("\"{}\"", BASE64_STANDARD.encode(bytes))
    })
}

/// Vectors as lists of numbers.
pub(crate) fn floats(vectors: usize) -> Bytes {
    answer(vectors, |vector| format!("{vector:?}"))
}

fn answer(vectors: usize, written: impl Fn(&[f32]) -> String) -> Bytes {
    let mut state = 1_u64;
    let mut body = r#"{"object":"list","data":["#.to_owned();
    for index in 0..vectors {
        let vector: Vec<_> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 40) as f32 / (1 << 23) as f32 - 1.0) / 10.0
        })
        .take(DIMENSIONS)
        .collect();
        let comma = if index == 0 { "" } else { "," };
        let vector = written(&vector);
        write!(body, r#"{comma}{{"object":"embedding","index":{index},"embedding":{vector}}}"#)
            .expect("a string grows");
    }
    body.push_str(r#"],"model":"m","usage":{"prompt_tokens":64,"total_tokens":64}}"#);
    body.into()
}

/// How long each vector is.
pub(crate) const DIMENSIONS: usize = 1536;
