//! Text Embeddings Inference: `error_type`, or `type` on its OpenAI route.

use super::{PERMANENT, SPLIT, TRANSIENT, TRUNCATE};
use crate::row::Row;

pub(super) const ROWS: &[Row] = &[
    Row::code("tei/Overloaded", TRANSIENT),
    Row::code("tei/Unhealthy", TRANSIENT),
    Row::code("tei/Tokenizer", PERMANENT),
    Row::code("tei/Empty", PERMANENT),
    Row::phrase("tei/batch", &["batch size * maximum allowed batch size"], SPLIT),
    Row::phrase("tei/tokens", &["must have less than * tokens"], TRUNCATE),
    // What the model cannot do, it will not do later.
    Row::phrase(
        "tei/ability",
        &["is not an embedding model", "model is not a", "model is not an", "is not available for this model"],
        PERMANENT,
    ),
    Row::vague("tei/Validation", PERMANENT),
    Row::vague("tei/Backend", TRANSIENT),
];
