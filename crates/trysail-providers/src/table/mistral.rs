//! Mistral: four-digit codes in a flat object.

use super::{PAY, PERMANENT, REAUTH, SPLIT, THROTTLED, TRANSIENT, TRUNCATE};
use crate::row::Row;

pub(super) const ROWS: &[Row] = &[
    Row::number("mistral/1000", TRANSIENT),
    Row::number("mistral/1100", TRANSIENT),
    Row::number("mistral/1300", THROTTLED),
    Row::number("mistral/1500", PERMANENT),
    Row::number("mistral/3000", TRANSIENT),
    Row::number("mistral/3505", THROTTLED),
    Row::code("mistral/service_tier_capacity_exceeded", THROTTLED),
    Row::code("mistral/unreachable_backend", TRANSIENT),
    Row::phrase("mistral/capacity", &["service tier capacity exceeded"], THROTTLED),
    Row::phrase("mistral/subscription", &["inactive subscription", "check your subscription"], PAY),
    Row::phrase("mistral/key", &["invalid api key"], REAUTH),
    Row::phrase("mistral/inputs", &["too many inputs", "too many tokens in batch", "too many tokens overall"], SPLIT),
    Row::phrase("mistral/length", &["input at position", "exceeds maximum length"], TRUNCATE).on(&[400, 422]),
];
