//! OpenRouter: the status as code, the provider's own error in `metadata`.

use super::{PAY, PERMANENT, QUOTA, REAUTH, THROTTLED, TRANSIENT};
use crate::row::Row;

pub(super) const ROWS: &[Row] = &[
    Row::phrase("openrouter/credits", &["requires more credits", "insufficient credits"], PAY),
    Row::phrase("openrouter/key-limit", &["key limit exceeded"], QUOTA),
    Row::phrase("openrouter/free-a-day", &["free-models-per-day"], QUOTA),
    Row::phrase("openrouter/free-a-minute", &["free-models-per-min"], THROTTLED),
    Row::phrase("openrouter/upstream", &["rate-limited upstream"], THROTTLED),
    Row::phrase(
        "openrouter/credentials",
        &["no auth credentials", "no cookie auth credentials", "user not found"],
        REAUTH,
    ),
    Row::phrase("openrouter/endpoints", &["no endpoints found", "no allowed providers"], PERMANENT),
    Row::phrase("openrouter/instances", &["no instances available"], TRANSIENT),
];
