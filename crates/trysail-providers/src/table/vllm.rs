//! vLLM: exception names as types, the status as code.

use super::{PERMANENT, TRANSIENT, TRUNCATE};
use crate::row::Row;

pub(super) const ROWS: &[Row] = &[
    Row::code("vllm/EngineDeadError", TRANSIENT),
    Row::code("vllm/EngineGenerateError", TRANSIENT),
    Row::phrase("vllm/context", &["maximum context length is", "longer than the maximum model length"], TRUNCATE),
    Row::phrase(
        "vllm/ability",
        &["does not support embeddings", "does not support matryoshka", "does not support pooling"],
        PERMANENT,
    ),
    Row::phrase(
        "vllm/engine",
        &["enginecore encountered an issue", "engine is dead", "background loop has errored"],
        TRANSIENT,
    ),
];
