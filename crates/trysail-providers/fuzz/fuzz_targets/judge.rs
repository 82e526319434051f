//! Judges whatever the fuzzer thinks of: two bytes of status, one of expectations, a header up to a zero, a body.
//!
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run judge` in `crates/trysail-providers`.

#![no_main]

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use libfuzzer_sys::fuzz_target;
use trysail_http::{Encoding, Expected};
use trysail_providers::{Complaint, Providers};

fuzz_target!(|data: &[u8]| {
    let [high, low, expected, rest @ ..] = data else { return };
    let Ok(status) = StatusCode::from_u16(100 + u16::from_be_bytes([*high, *low]) % 900) else { return };
    let zero = rest.iter().position(|byte| *byte == 0);
    let (header, body) = zero.map_or((&[][..], rest), |at| (&rest[..at], &rest[at + 1..]));
    let mut response = Response::new(Bytes::copy_from_slice(body));
    *response.status_mut() = status;
    if let Ok(value) = HeaderValue::from_bytes(header) {
        for name in ["retry-after", "retry-after-ms", "x-ratelimit-reset", "x-amzn-errortype", "x-should-retry"] {
            response.headers_mut().insert(name, value.clone());
        }
    }
    if expected & 1 == 1 {
        let encoding = [Encoding::Any, Encoding::Float, Encoding::Base64][usize::from(expected >> 6) % 3];
        let wanted = Expected::vectors(usize::from(expected >> 1 & 7)).encoding(encoding);
        response.extensions_mut().insert(if expected & 16 == 16 { wanted.dimension(2) } else { wanted });
    }
    let judgement = Providers.judge(&response);
    assert!(judgement.excerpt().is_none_or(|excerpt| excerpt.chars().count() <= 200));
    let _ = format!("{:?}", Complaint::of(&response));
});
