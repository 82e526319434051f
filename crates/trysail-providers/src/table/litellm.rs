//! The LiteLLM proxy: types of its own, `litellm.NameOfException:` in the message, the status as code.

use super::{AUTH, PAY, PERMANENT, REAUTH, THROTTLED, TRANSIENT, TRUNCATE};
use crate::row::Row;

pub(super) const ROWS: &[Row] = &[
    Row::code("litellm/budget_exceeded", PAY),
    Row::code("litellm/expired_key", REAUTH),
    Row::code("litellm/token_not_found_in_db", REAUTH),
    Row::code("litellm/key_model_access_denied", AUTH),
    Row::code("litellm/team_model_access_denied", AUTH),
    Row::code("litellm/user_model_access_denied", AUTH),
    Row::code("litellm/org_model_access_denied", AUTH),
    Row::code("litellm/project_model_access_denied", AUTH),
    Row::code("litellm/model_access_denied", AUTH),
    Row::code("litellm/no_db_connection", TRANSIENT),
    Row::code("litellm/ContextWindowExceededError", TRUNCATE),
    Row::code("litellm/ContentPolicyViolationError", PERMANENT),
    Row::phrase("litellm/budget", &["budget has been exceeded", "exceededbudget", "over budget"], PAY),
    Row::phrase(
        "litellm/no-deployment",
        &["no deployments available", "no healthy deployment", "all deployments in cooldown"],
        TRANSIENT,
    ),
    Row::phrase("litellm/parallel", &["max parallel request limit", "crossed tpm / rpm"], THROTTLED),
    Row::phrase("litellm/model-name", &["invalid model name passed"], PERMANENT),
    Row::phrase(
        "litellm/key",
        &["no api key passed in", "invalid proxy server token", "virtual key expected", "key not found in db"],
        REAUTH,
    ),
    Row::vague("litellm/BadRequestError", PERMANENT),
    Row::vague("litellm/UnprocessableEntityError", PERMANENT),
    Row::vague("litellm/throttling_error", THROTTLED),
    Row::vague("litellm/AuthenticationError", REAUTH),
    Row::vague("litellm/RateLimitError", THROTTLED),
    Row::vague("litellm/NotFoundError", PERMANENT),
];
