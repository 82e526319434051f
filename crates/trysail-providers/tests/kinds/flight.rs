//! Limits of what runs at once: free again in a moment, whatever the word for them.

use Class::{Permanent, QuotaExhausted as Quota, Throttled, Transient};
use trysail_core::Class;

use crate::{Row, judged};

#[test]
fn a_budget_of_calls_in_flight_is_no_spent_quota() {
    judged(IN_FLIGHT);
}

#[test]
fn a_spent_quota_that_speaks_of_calls_is_still_one() {
    judged(SPENT);
}

const IN_FLIGHT: &[Row] = &[
    (429, r#"{"error":{"code":"quota_exceeded","message":"Concurrent request quota exceeded"}}"#, Throttled),
    (
        429,
        r#"{"error":{"code":"insufficient_quota","message":"Too many requests in flight for this key (8/8)"}}"#,
        Throttled,
    ),
    (
        429,
        r#"{"error":{"type":"budget_exceeded","message":"In-flight budget exceeded: 4 of 4 calls are running"}}"#,
        Throttled,
    ),
    (
        429,
        r#"{"error":{"message":"Your concurrency budget has been exceeded. Upgrade your plan for more."}}"#,
        Throttled,
    ),
    (
        403,
        r#"{"error":{"code":"quota_exceeded","message":"You have 5 simultaneous requests, the maximum of your plan"}}"#,
        Throttled,
    ),
    (
        429,
        r#"{"error":{"code":429,"message":"Quota exceeded for quota metric 'Concurrent requests' of service 'aiplatform.googleapis.com'","status":"RESOURCE_EXHAUSTED","details":[{"reason":"RATE_LIMIT_EXCEEDED","metadata":{"quota_limit":"ConcurrentRequestsPerProject"}}]}}"#,
        Throttled,
    ),
    (
        429,
        r#"{"__type":"ServiceQuotaExceededException","message":"Too many concurrent invocations of the model"}"#,
        Throttled,
    ),
    (
        429,
        r#"{"error":{"code":"usage_limit_exceeded","message":"Max parallel requests reached (2). Wait for one to finish."}}"#,
        Throttled,
    ),
    (429, r#"{"error":{"code":"quota_exceeded","message":"max_concurrency of 10 reached"}}"#, Throttled),
    (429, r#"{"error":{"message":"Usage limit: only 3 requests at the same time"}}"#, Throttled),
    (429, r#"{"error":{"message":"Out of quota for outstanding requests, retry once one has completed"}}"#, Throttled),
    (429, r#"{"error":{"code":"quota_exceeded","message":"当前并发数已达上限"}}"#, Throttled),
    (429, r#"{"error":{"code":"quota_exceeded","message":"同時リクエスト数の上限に達しました"}}"#, Throttled),
    (429, r#"{"error":{"code":"quota_exceeded","message":"동시 요청 한도를 초과했습니다"}}"#, Throttled),
    (
        400,
        r#"{"error":{"code":"QuotaReached","message":"The number of active requests has reached the limit of the deployment"}}"#,
        Throttled,
    ),
    (429, r#"{"error":{"code":"ConcurrentInvocationLimitExceeded","message":"Rate Exceeded."}}"#, Throttled),
    (403, r#"{"error":{"message":"No quota: too many open connections from your account"}}"#, Throttled),
    (503, r#"{"error":{"message":"Ongoing requests exceed your quota"}}"#, Throttled),
];

const SPENT: &[Row] = &[
    (
        429,
        r#"{"error":{"code":"insufficient_quota","message":"You exceeded your current quota, please check your plan and billing details."}}"#,
        Quota,
    ),
    (429, r#"{"error":{"code":"quota_exceeded","message":"You have used all 1000 requests of this month"}}"#, Quota),
    (
        429,
        r#"{"error":{"code":"quota_exceeded","message":"Daily limit of concurrent-session minutes reached"}}"#,
        Quota,
    ),
    (
        429,
        r#"{"error":{"code":"insufficient_balance","message":"Insufficient balance for requests in flight"}}"#,
        Quota,
    ),
    (402, r#"{"error":{"message":"Concurrency is a paid feature"}}"#, Quota),
    (403, r#"{"error":{"message":"Quota exceeded"}}"#, Quota),
    (429, r#"{"error":{"code":"budget_exceeded","message":"Budget exceeded: spend 12.1, max budget 12.0"}}"#, Quota),
    (429, r#"{"error":{"code":"quota_exceeded","message":"Your request quota is used up"}}"#, Quota),
    (400, r#"{"error":{"message":"Unknown field 'parallel_tool_calls'","type":"invalid_request_error"}}"#, Permanent),
    (
        400,
        r#"{"error":{"message":"'concurrency' must be a positive number","type":"invalid_request_error"}}"#,
        Permanent,
    ),
    (400, r#"{"error":{"message":"Value error, max_concurrency is not a valid field"}}"#, Permanent),
    (422, r#"{"detail":[{"msg":"parallel must be a boolean","type":"bool_parsing"}]}"#, Permanent),
    (503, r#"{"error":"server busy, please try again. maximum pending requests exceeded"}"#, Transient),
];
