//! Together.

use super::{PAY, REAUTH, THROTTLED, TRANSIENT};
use crate::row::Row;

pub(super) const ROWS: &[Row] = &[
    Row::code("together/credit_limit", PAY),
    Row::code("together/missing_api_key", REAUTH),
    Row::vague("together/model_rate_limit", THROTTLED),
    Row::vague("together/dynamic_request_limited", THROTTLED),
    Row::vague("together/dynamic_token_limited", THROTTLED),
    Row::phrase("together/not-ready", &["overloaded or not ready"], TRANSIENT),
];
