//! The server of llama.cpp: a closed list of types; and llama-swap before it.

use super::{PERMANENT, REAUTH, TRANSIENT, TRUNCATE, WARMING};
use crate::row::Row;

pub(super) const ROWS: &[Row] = &[
    Row::code("llamacpp/exceed_context_size_error", TRUNCATE),
    Row::code("llamacpp/unavailable_error", WARMING).saying(&["loading model", "loading"]),
    Row::code("llamacpp/not_supported_error", PERMANENT.neutral()),
    Row::vague("llamacpp/authentication_error", REAUTH),
    // With a 500, though the text will be as long the next time.
    Row::phrase(
        "llamacpp/batch",
        &["too large to process", "increase the physical batch size", "larger than the max context size"],
        TRUNCATE,
    ),
    Row::phrase("llamacpp/slots", &["no slot available", "slot unavailable"], TRANSIENT),
    Row::phrase("llamacpp/ability", &["does not support embeddings", "is not oai compatible"], PERMANENT.neutral()),
    Row::phrase("llamacpp/swap", &["could not find real modelid", "no such model"], PERMANENT),
];
