//! Errors as providers and the proxies before them word them.

use std::time::Duration;

use axum::response::{Html, IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};

use super::error::{ApiError, bearer};
use crate::faults::Fault;

/// The answer of a fault that says no without a look at the request.
pub(super) fn refusal(fault: Fault, headers: &HeaderMap) -> Option<Response> {
    let api = |status, message: &str| ApiError::new(status, message);
    Some(match fault {
        Fault::Status(code) => status(StatusCode::from_u16(code).ok()?),
        Fault::RateLimit(wait) => rate_limit(wait),
        Fault::RateLimitBare => api(StatusCode::TOO_MANY_REQUESTS, "Rate limit reached for requests")
            .kind("requests")
            .code("rate_limit_exceeded")
            .into_response(),
        Fault::Quota => api(StatusCode::TOO_MANY_REQUESTS, QUOTA)
            .kind("insufficient_quota")
            .code("insufficient_quota")
            .into_response(),
        Fault::BadKey => ApiError::bad_key(bearer(headers).unwrap_or_default()).into_response(),
        Fault::Forbidden => api(StatusCode::FORBIDDEN, "Country, region, or territory not supported")
            .kind("request_forbidden")
            .code("unsupported_country_region_territory")
            .into_response(),
        Fault::TooLong => ApiError::too_long(9213, 8192).into_response(),
        Fault::NoModel => ApiError::no_model("no-such-embedding-model").into_response(),
        Fault::Html => Html(WELCOME).into_response(),
        _ => return None,
    })
}

fn status(status: StatusCode) -> Response {
    match status.as_u16() {
        500 => ApiError::new(status, SERVER_ERROR).kind("server_error").into_response(),
        503 => ApiError::new(status, OVERLOADED).kind("server_error").into_response(),
        408 => json(status, r#"{"error":{"code":408,"message":"Request timed out"}}"#),
        529 => {
            let body = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
            ([("x-should-retry", "true")], json(status, body)).into_response()
        }
        _ => {
            let title = match status {
                // nginx has its own name for it.
                StatusCode::GATEWAY_TIMEOUT => "504 Gateway Time-out".into(),
                _ => status.to_string(),
            };
            let page = format!(
                "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n\
                 <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
            );
            (status, [(header::SERVER, "nginx"), (header::CONTENT_TYPE, "text/html")], page).into_response()
        }
    }
}

fn rate_limit(wait: Duration) -> Response {
    let wait = wait.as_millis();
    let message = format!(
        "Rate limit reached for text-embedding-3-small in organization org-REDACTED on tokens per min (TPM): \
         Limit 30000, Used 29937, Requested 385. Please try again in {wait}ms. \
         Visit https://platform.openai.com/account/rate-limits to learn more."
    );
    let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, message).kind("tokens").code("rate_limit_exceeded");
    ([("retry-after-ms", wait.to_string())], error).into_response()
}

fn json(status: StatusCode, body: &'static str) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

const SERVER_ERROR: &str = "The server had an error processing your request. Sorry about that! You can retry your \
    request, or contact us through our help center at help.openai.com if you keep seeing this error.";
const OVERLOADED: &str = "The server is currently overloaded with other requests. Sorry about that! You can retry \
    your request, or contact us through our help center at help.openai.com if the error persists.";
const QUOTA: &str = "You exceeded your current quota, please check your plan and billing details. For more \
    information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.";
const WELCOME: &str = "<!DOCTYPE html>\n<html>\n<head>\n<title>Welcome to nginx!</title>\n</head>\n<body>\n\
    <h1>Welcome to nginx!</h1>\n<p>If you see this page, the nginx web server is successfully installed and\n\
    working. Further configuration is required.</p>\n</body>\n</html>\n";
