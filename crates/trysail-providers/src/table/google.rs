//! Gemini and Vertex AI: status names, reasons in the details, quota ids.

use super::{AUTH, PAY, PERMANENT, QUOTA, REAUTH, SPLIT, THROTTLED, TRANSIENT, TRUNCATE};
use crate::row::Row;

pub(super) const ROWS: &[Row] = &[
    Row::code("google/API_KEY_INVALID", REAUTH),
    Row::code("google/API_KEY_EXPIRED", REAUTH),
    Row::code("google/API_KEY_SERVICE_BLOCKED", AUTH),
    Row::code("google/API_KEY_HTTP_REFERRER_BLOCKED", AUTH),
    Row::code("google/API_KEY_IP_ADDRESS_BLOCKED", AUTH),
    Row::code("google/ACCESS_TOKEN_EXPIRED", REAUTH),
    Row::code("google/ACCESS_TOKEN_TYPE_UNSUPPORTED", REAUTH),
    Row::code("google/ACCESS_TOKEN_SCOPE_INSUFFICIENT", AUTH),
    Row::code("google/CREDENTIALS_MISSING", REAUTH),
    Row::code("google/ACCOUNT_STATE_INVALID", REAUTH),
    Row::code("google/CONSUMER_SUSPENDED", AUTH),
    Row::code("google/CONSUMER_INVALID", AUTH),
    Row::code("google/SERVICE_DISABLED", AUTH),
    Row::code("google/USER_PROJECT_DENIED", AUTH),
    Row::code("google/IAM_PERMISSION_DENIED", AUTH),
    Row::code("google/BILLING_DISABLED", PAY),
    Row::code("google/dailyLimitExceeded", QUOTA),
    Row::code("google/UNAUTHENTICATED", REAUTH),
    // This text comes with limits of a minute as well; only a quota id tells.
    Row::code("google/RESOURCE_EXHAUSTED", THROTTLED).saying(&["exceeded your current quota", "quota exceeded for"]),
    Row::vague("google/RESOURCE_EXHAUSTED", THROTTLED),
    Row::vague("google/userRateLimitExceeded", THROTTLED),
    Row::vague("google/PERMISSION_DENIED", AUTH),
    Row::vague("google/UNAVAILABLE", TRANSIENT),
    Row::vague("google/DEADLINE_EXCEEDED", TRANSIENT),
    Row::vague("google/ABORTED", TRANSIENT.neutral()),
    Row::vague("google/CANCELLED", TRANSIENT.neutral()),
    Row::vague("google/UNIMPLEMENTED", PERMANENT.neutral()),
    Row::phrase("google/location", &["user location is not supported"], PERMANENT),
    Row::phrase("google/leaked", &["reported as leaked"], REAUTH),
    Row::phrase("google/requests-in-batch", &["requests can be in one batch", "is allowed per prediction"], SPLIT),
    Row::phrase("google/token-count", &["input token count", "exceeds the maximum number of tokens allowed"], TRUNCATE),
    Row::window("google/no-free-tier", &["limit: 0,", "limit: 0\n"], QUOTA),
];
