use trysail_core::{Remedy, Verdict};

use crate::{Complaint, classify::dialect::Spoken};

/// What the machine codes of a complaint say: its code before its type before its header.
pub(super) fn verdict(complaint: &Complaint) -> Option<Verdict> {
    let general = || complaint.words().find_map(known);
    complaint.spoken().and_then(Spoken::verdict).or_else(general)
}

fn known(word: &str) -> Option<Verdict> {
    let (verdict, _) = TABLE.iter().find(|(_, words)| words.iter().any(|known| known.eq_ignore_ascii_case(word)))?;
    Some(*verdict)
}

/// Codes and types that mean the same wherever they are met.
///
/// General ones (`invalid_request_error`, `api_error`, `BadRequestError`) are left out: the status says more.
const TABLE: &[(Verdict, &[&str])] = &[
    (
        Verdict::QUOTA_EXHAUSTED.advise(Remedy::Pay),
        &[
            "insufficient_quota",
            "billing_not_active",
            "billing_hard_limit_reached",
            "billing_error",
            "budget_exceeded",
            "credit_balance_too_low",
            "insufficient_balance",
            "InsufficientBalanceError",
            "insufficient_credits",
            "payment_required",
        ],
    ),
    (
        Verdict::QUOTA_EXHAUSTED,
        &["quota_exceeded", "QuotaExceeded", "daily_limit_exceeded", "ServiceQuotaExceededException"],
    ),
    (
        Verdict::AUTH.advise(Remedy::Reauth),
        &[
            "invalid_api_key",
            "incorrect_api_key",
            "missing_api_key",
            "API_KEY_INVALID",
            "auth_error",
            "authentication_error",
            "invalid_authentication",
            "invalid_token",
            "expired_key",
            "token_expired",
            "account_deactivated",
            "UNAUTHENTICATED",
            "ExpiredTokenException",
            "InvalidSignatureException",
            "MissingAuthenticationTokenException",
            "UnrecognizedClientException",
        ],
    ),
    (
        Verdict::AUTH,
        &[
            "permission_denied",
            "permission_error",
            "insufficient_permissions",
            "model_access_denied",
            "key_model_access_denied",
            "SERVICE_DISABLED",
            "AccessDeniedException",
        ],
    ),
    (
        Verdict::PERMANENT.advise(Remedy::Truncate),
        &["context_length_exceeded", "exceed_context_size_error", "string_above_max_length"],
    ),
    (Verdict::PERMANENT.advise(Remedy::Split), &["max_tokens_per_request", "array_above_max_length"]),
    (
        Verdict::PERMANENT,
        &[
            "model_not_found",
            "not_found_error",
            "NotFoundError",
            "DeploymentNotFound",
            "ResourceNotFoundException",
            "ValidationException",
            "not_supported_error",
            "content_filter",
            "unsupported_country_region_territory",
        ],
    ),
    (
        Verdict::THROTTLED,
        &[
            "rate_limit_exceeded",
            "rate_limit_error",
            "rate_limit_reached",
            "RateLimitReached",
            "rate_limited",
            "model_rate_limit",
            "slow_down",
            "too_many_requests",
            "TooManyRequests",
            "TooManyRequestsException",
            "ThrottlingException",
            "Throttling",
            "RESOURCE_EXHAUSTED",
        ],
    ),
    (Verdict::WARMING, &["model_loading", "model_not_ready", "unavailable_error", "ModelNotReadyException"]),
    (
        Verdict::TRANSIENT,
        &[
            "overloaded",
            "overloaded_error",
            "engine_overloaded",
            "model_overloaded",
            "server_overloaded",
            "unhealthy",
            "service_unavailable",
            "cf_service_unavailable",
            "ServiceUnavailable",
            "ServiceUnavailableException",
            "UNAVAILABLE",
            "DEADLINE_EXCEEDED",
            "ModelTimeoutException",
            "server_error",
            "internal_error",
            "internal_server_error",
            "InternalServerError",
            "InternalServerException",
        ],
    ),
];
