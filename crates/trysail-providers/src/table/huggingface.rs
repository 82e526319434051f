//! The inference API, providers and endpoints of Hugging Face: an `error` in words.

use super::{PAY, PERMANENT, REAUTH, THROTTLED, TRANSIENT, WARMING};
use crate::row::Row;

pub(super) const ROWS: &[Row] = &[
    Row::phrase("huggingface/loading", &["is currently loading"], WARMING),
    Row::phrase("huggingface/too-big", &["too big", "too large to be loaded"], PERMANENT).on(&[400, 403]),
    Row::phrase("huggingface/paused", &["endpoint is paused"], PERMANENT),
    Row::phrase("huggingface/busy", &["model too busy"], TRANSIENT),
    Row::phrase("huggingface/credits", &["monthly included credits"], PAY),
    Row::phrase(
        "huggingface/free",
        &["free usage limit", "pro hourly usage limit", "max requests total reached"],
        THROTTLED,
    ),
    Row::phrase("huggingface/token", &["token seems invalid", "invalid credentials in authorization header"], REAUTH),
    Row::phrase("huggingface/gated", &["is gated", "is not supported by provider"], PERMANENT).on(&[400, 403, 404]),
    Row::phrase("huggingface/memory", &["cuda out of memory", "cublas"], TRANSIENT).on(&[400, 424]),
];
