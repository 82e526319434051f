//! OpenAI, and what speaks exactly like it.

use super::{AUTH, PAY, REAUTH, SPLIT, THROTTLED, TRANSIENT, TRUNCATE};
use crate::row::Row;

pub(super) const ROWS: &[Row] = &[
    Row::code("openai/insufficient_quota", PAY),
    Row::code("openai/billing_not_active", PAY),
    Row::code("openai/billing_hard_limit_reached", PAY),
    Row::code("openai/access_terminated", AUTH),
    Row::code("openai/account_deactivated", REAUTH),
    Row::code("openai/invalid_api_key", REAUTH),
    Row::code("openai/incorrect_api_key", REAUTH),
    Row::code("openai/invalid_organization", REAUTH),
    Row::code("openai/mismatched_organization", REAUTH),
    Row::code("openai/invalid_project", REAUTH),
    Row::code("openai/mismatched_project", REAUTH),
    Row::code("openai/ip_not_authorized", AUTH),
    Row::code("openai/missing_scope", AUTH),
    Row::code("openai/string_above_max_length", TRUNCATE),
    Row::code("openai/array_above_max_length", SPLIT),
    Row::code("openai/max_tokens_per_request", SPLIT),
    Row::code("openai/tokens_exceeded_per_request", SPLIT),
    Row::code("openai/slow_down", THROTTLED),
    Row::code("openai/cf_service_unavailable", TRANSIENT),
    Row::code("openai/cf_bad_gateway", TRANSIENT),
    Row::phrase("openai/quota", &["exceeded your current quota"], PAY),
    Row::phrase("openai/not-active", &["account is not active, please check your billing"], PAY),
    Row::phrase("openai/per-request", &["max * tokens per request"], SPLIT),
    Row::phrase("openai/missing-scopes", &["insufficient permissions for this operation"], AUTH),
];
