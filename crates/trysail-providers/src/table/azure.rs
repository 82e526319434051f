//! Azure OpenAI, API Management before it, and GitHub Models.

use super::{AUTH, PAY, PERMANENT, QUOTA, REAUTH, SPLIT, THROTTLED, TRANSIENT};
use crate::row::Row;

pub(super) const ROWS: &[Row] = &[
    Row::code("azure/DeploymentNotFound", PERMANENT),
    Row::code("azure/ResourceNotFound", PERMANENT),
    Row::code("azure/OperationNotSupported", PERMANENT),
    Row::code("azure/ModelNotFound", PERMANENT),
    Row::code("azure/ModelDeprecated", PERMANENT),
    Row::code("azure/UnsupportedApiVersion", PERMANENT),
    Row::code("azure/ResponsibleAIPolicyViolation", PERMANENT),
    Row::code("azure/SubscriptionDisabled", PAY),
    Row::code("azure/QuotaReached", QUOTA),
    Row::code("azure/AuthenticationTypeDisabled", AUTH),
    Row::code("azure/AuthorizationFailed", AUTH),
    Row::code("azure/InvalidAuthenticationToken", REAUTH),
    Row::code("azure/ExpiredAuthenticationToken", REAUTH),
    Row::code("azure/DeploymentNotReady", TRANSIENT),
    Row::phrase("azure/call-volume", &["out of call volume quota", "out of bandwidth quota"], QUOTA),
    Row::phrase("azure/inputs", &["max number of inputs is"], SPLIT),
    Row::phrase("azure/subscription-key", &["invalid subscription key", "missing subscription key"], REAUTH),
    Row::phrase("azure/tier", &["exceeded call rate limit", "exceeded token rate limit"], THROTTLED),
    Row::phrase("azure/operation", &["operation does not work with the specified model"], PERMANENT),
];
