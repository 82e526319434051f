//! Amazon Bedrock and SageMaker: exceptions, in the body or in `x-amzn-errortype`.

use super::{AUTH, PAY, PERMANENT, QUOTA, REAUTH, SPLIT, THROTTLED, TRANSIENT, TRUNCATE, WARMING};
use crate::row::Row;

pub(super) const ROWS: &[Row] = &[
    Row::code("bedrock/ExpiredTokenException", REAUTH),
    Row::code("bedrock/RequestExpired", REAUTH),
    Row::code("bedrock/InvalidClientTokenId", REAUTH),
    Row::code("bedrock/UnrecognizedClientException", REAUTH),
    Row::code("bedrock/InvalidSignatureException", REAUTH),
    Row::code("bedrock/SignatureDoesNotMatch", REAUTH),
    Row::code("bedrock/IncompleteSignature", REAUTH),
    Row::code("bedrock/MissingAuthenticationTokenException", REAUTH),
    Row::code("bedrock/InvalidIdentityToken", REAUTH),
    Row::code("bedrock/NotAuthorized", AUTH),
    Row::code("bedrock/OptInRequired", AUTH),
    Row::code("bedrock/ModelNotReadyException", TRANSIENT),
    Row::code("bedrock/ModelTimeoutException", TRANSIENT),
    Row::code("bedrock/ModelErrorException", TRANSIENT),
    Row::code("bedrock/ModelStreamErrorException", TRANSIENT),
    Row::code("bedrock/InternalFailure", TRANSIENT),
    Row::code("bedrock/InternalDependencyException", TRANSIENT),
    Row::code("bedrock/ServiceQuotaExceededException", QUOTA),
    Row::code("bedrock/ResourceNotFoundException", PERMANENT),
    Row::code("bedrock/MalformedQueryString", PERMANENT),
    // What the SDKs of AWS back off for, with and without `Exception`. In a 400 or 403 it settles the matter: too many
    // tokens are then too many at once.
    Row::code("bedrock/ThrottlingException", THROTTLED).on(&[400, 403]),
    Row::code("bedrock/TooManyRequestsException", THROTTLED).on(&[400, 403]),
    Row::code("bedrock/ThrottledException", THROTTLED),
    Row::code("bedrock/RequestThrottledException", THROTTLED),
    Row::code("bedrock/EC2ThrottledException", THROTTLED),
    Row::code("bedrock/ProvisionedThroughputExceededException", THROTTLED),
    Row::code("bedrock/BandwidthLimitExceeded", THROTTLED),
    Row::code("bedrock/TransactionInProgressException", THROTTLED),
    Row::code("bedrock/PriorRequestNotComplete", THROTTLED),
    Row::code("bedrock/SlowDown", THROTTLED),
    Row::phrase("bedrock/marketplace", &["subscription for the model is still being processed"], WARMING)
        .on(&[200, 400, 403, 404]),
    Row::phrase("bedrock/payment", &["invalid_payment_instrument", "valid payment instrument"], PAY),
    Row::phrase("bedrock/tokens-a-day", &["too many tokens per day"], QUOTA),
    Row::phrase("bedrock/rate", &["please wait before trying again", "wait before trying again"], THROTTLED)
        .on(&[400, 429]),
    Row::phrase("bedrock/item-count", &["expected maximum item count"], SPLIT),
    Row::phrase("bedrock/max-length", &["expected maxlength", "too many input tokens"], TRUNCATE),
    Row::vague("bedrock/AccessDeniedException", AUTH),
    Row::vague("bedrock/ValidationException", PERMANENT),
    Row::vague("bedrock/ThrottlingException", THROTTLED),
    Row::vague("bedrock/TooManyRequestsException", THROTTLED),
    Row::vague("bedrock/RequestLimitExceeded", THROTTLED),
    Row::vague("bedrock/RequestTimeout", TRANSIENT),
    Row::vague("bedrock/RequestTimeoutException", TRANSIENT),
    Row::vague("bedrock/ServiceUnavailableException", TRANSIENT),
    Row::vague("bedrock/InternalServerException", TRANSIENT),
    Row::vague("bedrock/ConflictException", TRANSIENT.neutral()),
];
