//! Voyage: a `detail` in words.

use super::{PERMANENT, REAUTH, SPLIT, THROTTLED, TRUNCATE};
use crate::row::Row;

pub(super) const ROWS: &[Row] = &[
    // Speaks of the billing page, but waiting cures it.
    Row::phrase("voyage/reduced-rate", &["reduced rate limits"], THROTTLED),
    Row::phrase("voyage/key", &["provided api key is invalid"], REAUTH),
    Row::phrase(
        "voyage/batch",
        &["tokens per submitted batch", "batch size limit", "number of tokens in the batch"],
        SPLIT,
    ),
    Row::phrase(
        "voyage/window",
        &["does not fit into the model's context window", "in your batch has too many tokens"],
        TRUNCATE,
    ),
    Row::phrase("voyage/model", &["is not supported. supported models"], PERMANENT),
];
