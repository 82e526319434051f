use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde_json::json;

/// An error in OpenAI's shape.
#[derive(Clone, Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    message: String,
    kind: &'static str,
    param: Option<&'static str>,
    code: Option<&'static str>,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), kind: "invalid_request_error", param: None, code: None }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// All that OpenAI says about an input of the wrong type, an empty one, or too many.
    pub(super) fn invalid(field: &str) -> Self {
        Self::bad_request(format!(
            "'$.{field}' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference."
        ))
    }

    pub(super) fn too_long(tokens: usize, limit: usize) -> Self {
        Self::bad_request(format!(
            "This model's maximum context length is {limit} tokens, however you requested {tokens} tokens \
             ({tokens} in your prompt; 0 for the completion). Please reduce your prompt; or completion length."
        ))
    }

    pub(super) fn no_model(model: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("The model `{model}` does not exist or you do not have access to it."))
            .code("model_not_found")
    }

    pub(super) fn no_key() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer \
             auth (i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) if you're \
             accessing the API from your browser and are prompted for a username and password. You can obtain an API \
             key from https://platform.openai.com/account/api-keys.",
        )
    }

    pub(super) fn bad_key(key: &str) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            format!(
                "Incorrect API key provided: {key}. You can find your API key at \
                 https://platform.openai.com/account/api-keys."
            ),
        )
        .code("invalid_api_key")
    }

    pub(super) fn kind(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }

    pub(super) fn param(self, param: &'static str) -> Self {
        Self { param: Some(param), ..self }
    }

    pub(super) fn code(self, code: &'static str) -> Self {
        Self { code: Some(code), ..self }
    }

    /// With all that the client sent.
    pub(super) fn echo(mut self, headers: &HeaderMap, body: &[u8]) -> Self {
        let key = bearer(headers).unwrap_or_default();
        let body = String::from_utf8_lossy(body);
        self.message.push_str(&format!(" (authorization: Bearer {key}; body: {body})"));
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Self { status, message, kind, param, code } = self;
        let body = json!({ "error": { "message": message, "type": kind, "param": param, "code": code } });
        (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
    }
}

/// The key that a request carries.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

/// The key as OpenAI shows it: the first eight and the last four characters, or all of a short one.
pub(super) fn mask(key: &str) -> String {
    let length = key.chars().count();
    key.chars().enumerate().map(|(at, c)| if (8..length.saturating_sub(4)).contains(&at) { '*' } else { c }).collect()
}
