//! Cohere: no codes, short messages.

use super::{PAY, PERMANENT, REAUTH, SPLIT, THROTTLED, TRUNCATE};
use crate::row::Row;

pub(super) const ROWS: &[Row] = &[
    Row::phrase("cohere/trial-month", &["limited to * / month"], PAY),
    Row::phrase("cohere/trial-minute", &["limited to * / minute", "trial token rate limit"], THROTTLED),
    Row::phrase("cohere/token", &["invalid api token", "no api key supplied", "blocked api key"], REAUTH),
    Row::phrase("cohere/texts", &["number of texts must be at most", "number of inputs must be at most"], SPLIT),
    Row::phrase("cohere/too-many-tokens", &["too many tokens:", "total number of tokens in"], TRUNCATE).on(&[400, 422]),
    Row::phrase("cohere/model", &["make sure the correct model id was used"], PERMANENT),
    Row::phrase("cohere/blocked", &["blocked output", "blocked input"], PERMANENT),
];
