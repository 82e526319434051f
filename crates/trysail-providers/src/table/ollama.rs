//! Ollama: the words of its Go errors, with almost any status.

use super::{PERMANENT, QUOTA, THROTTLED, TRANSIENT, TRUNCATE, WARMING};
use crate::row::Row;

pub(super) const ROWS: &[Row] = &[
    Row::phrase("ollama/context", &["exceeds the context length", "exceeds maximum context length"], TRUNCATE),
    Row::phrase("ollama/usage-limit", &["session usage limit", "your hourly usage limit", "weekly usage limit"], QUOTA),
    Row::phrase("ollama/concurrent", &["too many concurrent requests"], THROTTLED),
    Row::phrase("ollama/busy", &["server busy", "maximum pending requests exceeded"], TRANSIENT),
    Row::phrase("ollama/loading", &["llm server loading model"], WARMING),
    Row::phrase(
        "ollama/runner",
        &[
            "llama runner process",
            "waiting for llama runner",
            "llm server error",
            "llm server not responding",
            "unexpected server status",
        ],
        TRANSIENT,
    ),
    Row::phrase("ollama/socket", &["dial tcp", "read tcp", "write tcp", "wsarecv", "connectex"], TRANSIENT),
    Row::phrase("ollama/eof", &["\": eof", "\": unexpected eof"], TRANSIENT),
    Row::phrase("ollama/model", &["try pulling it first", "does not support embed"], PERMANENT),
    Row::phrase("ollama/memory", &["requires more system memory"], PERMANENT),
];
