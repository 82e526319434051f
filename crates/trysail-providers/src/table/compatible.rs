//! DeepSeek, xAI, Groq and others that speak OpenAI's language with an accent.

use super::{AUTH, PAY, PERMANENT, QUOTA, REAUTH, THROTTLED, TRANSIENT};
use crate::row::Row;

pub(super) const ROWS: &[Row] = &[
    Row::code("groq/capacity_exceeded", TRANSIENT),
    Row::code("groq/flex_capacity", TRANSIENT),
    Row::code("groq/blocked_api_access", AUTH),
    Row::code("groq/organization_restricted", AUTH),
    Row::code("groq/model_decommissioned", PERMANENT),
    Row::code("groq/model_terms_required", AUTH),
    Row::code("watsonx/token_quota_reached", QUOTA),
    Row::code("watsonx/consumption_limit_reached", THROTTLED),
    Row::code("novita/failed_to_auth", REAUTH),
    Row::phrase("xai/key", &["incorrect api key provided"], REAUTH),
    Row::phrase("xai/credits", &["any credits yet", "used all available credits"], PAY),
    Row::phrase("deepseek/key", &["authentication fails"], REAUTH),
    Row::phrase("deepseek/balance", &["insufficient balance"], PAY),
];
