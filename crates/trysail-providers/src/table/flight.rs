//! Limits of what runs at once, which are free again in a moment.

use super::THROTTLED;
use crate::row::Row;

pub(super) const ROWS: &[Row] = &[
    Row::phrase("generic/concurrency", AT_ONCE, THROTTLED).on(&[200, 400, 403, 429, 503]),
    // Alone, these may be the name of a field.
    Row::phrase("generic/concurrency-word", WORDS, THROTTLED).on(&[200, 403, 429, 503]),
    Row::flight("flight/limit", AT_ONCE, THROTTLED).unless(MONEY).on(&[200, 400, 403, 429, 503]),
    Row::flight("flight/word", WORDS, THROTTLED).unless(MONEY).on(&[200, 403, 429, 503]),
    Row::flight("flight/others", OTHERS, THROTTLED).unless(MONEY).on(&[200, 403, 429, 503]),
];

const AT_ONCE: &[&str] = &[
    "concurrency limit",
    "concurrency budget",
    "concurrency quota",
    "max concurrency",
    "maximum concurrency",
    "request concurrency",
    "concurrent request",
    "concurrent call",
    "concurrent connection",
    "concurrent invocation",
    "concurrent execution",
    "concurrent operation",
    "concurrent job",
    "concurrent session",
    "concurrent stream",
    "too many concurrent",
    "too many parallel",
    "too many simultaneous",
    "too many active",
    "too many open",
    "simultaneous request",
    "simultaneous call",
    "simultaneous connection",
    "parallel request",
    "parallel call",
    "parallel connection",
    "in-flight request",
    "in-flight limit",
    "in-flight budget",
    "requests in flight",
    "calls in flight",
    "active requests",
    "outstanding requests",
    "ongoing requests",
    "running requests",
    "requests in progress",
    "requests at once",
    "requests at the same time",
    "calls at the same time",
];

const WORDS: &[&str] = &[
    "concurren",
    "in-flight",
    "in flight",
    "inflight",
    "simultan",
    "at the same time",
    "open connections",
    "并发",
    "併發",
    "並發",
    "同时请求",
    "同時リクエスト",
    "同時接続",
    "동시 요청",
    "동시 접속",
    "gleichzeitig",
    "одновременн",
    "eşzamanlı",
];

/// What would be said of a server's own queue as well, so that only a quota is judged by it.
const OTHERS: &[&str] = &[
    "in-progress",
    "in progress",
    "pending request",
    "requests running",
    "requests are running",
    "calls are running",
    "request is running",
    "request is being processed",
    "requests are being processed",
    "previous request",
    "requests to finish",
    "requests to complete",
    "parallelism",
    "slots",
];

/// Nothing runs on an empty account, however little at once.
const MONEY: &[&str] =
    &["balance", "insufficient credit", "insufficient fund", "out of credit", "billing details", "余额"];
