//! Jina: five-digit codes in `status`, whose first three are the status.

use super::{AUTH, PAY, PERMANENT, REAUTH, SPLIT, THROTTLED, TRANSIENT};
use crate::row::Row;

pub(super) const ROWS: &[Row] = &[
    Row::number("jina/40101", REAUTH),
    Row::number("jina/40102", REAUTH),
    Row::number("jina/40103", REAUTH),
    Row::number("jina/40203", PAY),
    Row::number("jina/42903", THROTTLED),
    Row::number("jina/42904", THROTTLED),
    Row::code("jina/AuthenticationRequiredError", REAUTH),
    Row::code("jina/AuthenticationFailedError", REAUTH),
    Row::code("jina/InsufficientBalanceError", PAY),
    Row::code("jina/InsufficientCreditsError", PAY),
    Row::code("jina/TierFeatureConstraintError", AUTH),
    Row::code("jina/RateLimitTriggeredError", THROTTLED),
    Row::code("jina/ServiceNodeResourceDrainError", TRANSIENT),
    Row::code("jina/ServiceBadAttemptError", TRANSIENT),
    Row::code("jina/ParamValidationError", PERMANENT),
    Row::phrase("jina/inputs", &["larger than the largest allowed size"], SPLIT),
];
