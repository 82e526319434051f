//! Throttling as AWS says it, wherever it stands and however it is spelled.

use Class::{Auth, Permanent, QuotaExhausted as Quota, Throttled, Transient};
use bytes::Bytes;
use http::Response;
use trysail_core::Class;

use crate::{Row, fault, judged};

#[test]
fn a_throttling_code_means_the_same_in_the_body_and_in_the_head() {
    let mut wrong = Vec::new();
    for code in CODES {
        let spelled = [
            (*code).to_owned(),
            format!("{code}Exception"),
            format!("com.amazonaws.foo#{code}"),
            format!("com.amazon.coral.service#{code}Exception"),
            format!("{code}Exception:http://internal.amazon.com/coral/com.amazon.bedrock/"),
            format!("{code}:http://internal.amazon.com/coral/com.amazon.bedrock/#types"),
            format!("aws.protocoltests#{code}Exception:http://internal.amazon.com/coral/"),
            format!("http://internal.amazon.com/coral/#{code}"),
        ];
        for word in spelled {
            for status in [400, 403, 429, 500, 503] {
                let head = Response::builder().status(status).header("x-amzn-errortype", &word);
                let query = Response::builder().status(status).header("x-amzn-query-error", format!("{code};Sender"));
                let bodies = ["__type", "code", "Code", "type"].map(|field| {
                    Response::builder().status(status).body(Bytes::from(format!(r#"{{"{field}":"{word}"}}"#))).unwrap()
                });
                let nothing = Bytes::from_static(br#"{"message":null}"#);
                let heads = [head.body(nothing.clone()).unwrap(), query.body(nothing).unwrap()];
                wrong.extend(
                    heads
                        .iter()
                        .chain(&bodies)
                        .filter_map(|response| fault(response, Throttled).map(|fault| format!("{word}: {fault}"))),
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{} are\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
}

#[test]
fn a_throttling_code_settles_a_400_whatever_the_message_counts() {
    judged(&[
        (400, r#"{"__type":"ThrottlingException","message":"Too many tokens"}"#, Throttled),
        (400, r#"{"__type":"ThrottlingException","message":"Token limit of the minute reached"}"#, Throttled),
        (400, r#"{"__type":"RequestThrottledException","message":"The batch size per second is exceeded"}"#, Throttled),
        (403, r#"{"__type":"TooManyRequestsException","message":"Access denied for now"}"#, Throttled),
        (
            400,
            r#"{"__type":"ThrottlingException","message":"Too many tokens per day, please wait before trying again."}"#,
            Quota,
        ),
    ]);
}

#[test]
fn xml_names_its_code_as_well() {
    judged(XML);
}

#[test]
fn not_all_that_speaks_of_throttling_is_throttled() {
    judged(OTHERS);
}

/// What the SDKs of AWS back off for, without the ending.
const CODES: &[&str] = &[
    "Throttling",
    "Throttled",
    "RequestThrottled",
    "TooManyRequests",
    "ProvisionedThroughputExceeded",
    "TransactionInProgress",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "SlowDown",
    "PriorRequestNotComplete",
    "EC2Throttled",
];

const XML: &[Row] = &[
    (
        400,
        "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>No</Message></Error></ErrorResponse>",
        Throttled,
    ),
    (
        503,
        "<?xml version=\"1.0\"?>\n<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>No</Message></Error></Errors></Response>",
        Throttled,
    ),
    (503, "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>", Throttled),
    (403, "<Error><Code>SignatureDoesNotMatch</Code><Message>No</Message></Error>", Auth),
    (503, "<Error><Code></Code><Message>No</Message></Error>", Transient),
];

const OTHERS: &[Row] = &[
    (
        400,
        r#"{"__type":"ValidationException","message":"1 validation error: value 'throttling' at 'mode' is unknown"}"#,
        Permanent,
    ),
    (400, r#"{"__type":"ValidationException","message":"throttlingBurstLimit must be a whole number"}"#, Permanent),
    (400, r#"{"__type":"ValidationException","message":"Unknown field 'throttled' in the request"}"#, Permanent),
    (
        400,
        r#"{"error":{"message":"Unrecognized request argument supplied: rate_limit","type":"invalid_request_error"}}"#,
        Permanent,
    ),
    (
        400,
        r#"{"error":{"message":"Invalid value for 'x_ratelimit': expected a number","type":"invalid_request_error"}}"#,
        Permanent,
    ),
    (
        400,
        r#"{"error":{"message":"'slow_down' is not a supported parameter","type":"invalid_request_error"}}"#,
        Permanent,
    ),
    (400, r#"{"__type":"com.amazon.coral.service#ValidationException","message":"Throttling is no model"}"#, Permanent),
    (403, r#"{"__type":"AccessDeniedException","message":"not authorized to perform: bedrock:PutThrottling"}"#, Auth),
    (400, r#"{"__type":"ServiceQuotaExceededException","message":"You have reached the number of models"}"#, Quota),
    (429, r#"{"__type":"LimitExceededException","message":"Limit Exceeded"}"#, Quota),
    (400, r#"{"__type":"ThrottlingConfigurationNotFound","message":"no"}"#, Permanent),
    (404, r#"{"__type":"ResourceNotFoundException","message":"throttling policy not found"}"#, Permanent),
];
