use serde_json::{Map, Value};

use super::error::ApiError;
use crate::Model;

/// A well-formed request.
pub(super) struct EmbeddingRequest {
    pub(super) model: String,
    pub(super) inputs: Vec<Vec<u32>>,
    pub(super) base64: bool,
    pub(super) dimensions: usize,
}

impl EmbeddingRequest {
    pub(super) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let fields: Map<_, _> = serde_json::from_slice(body).map_err(|_| ApiError::bad_request(NO_JSON))?;
        let field = |name| fields.get(name).filter(|value| !value.is_null());
        let model = field("model").ok_or_else(|| ApiError::bad_request("you must provide a model parameter"))?;
        if field("user").is_some_and(|user| !user.is_string()) {
            return Err(ApiError::invalid("user"));
        }
        Ok(Self {
            model: model.as_str().ok_or_else(|| ApiError::invalid("model"))?.into(),
            inputs: field("input").and_then(inputs).ok_or_else(|| ApiError::invalid("input"))?,
            base64: field("encoding_format").map_or(Ok(false), base64)?,
            dimensions: field("dimensions").map_or(Ok(Model::potion().dimensions()), dimensions)?,
        })
    }
}

/// One text, some texts, one list of tokens, some lists of tokens; nothing empty.
fn inputs(value: &Value) -> Option<Vec<Vec<u32>>> {
    let many = match value {
        Value::Array(many) if many.first()?.is_number() => return Some(vec![tokens(value)?]),
        Value::Array(many) if many.len() > MOST_INPUTS => return None,
        Value::Array(many) => many.as_slice(),
        one => std::slice::from_ref(one),
    };
    let texts = many.iter().map(|value| value.as_str().filter(|text| !text.is_empty())).collect::<Option<Vec<_>>>();
    match texts {
        Some(texts) => Some(texts.into_iter().map(|text| Model::potion().ids(text)).collect()),
        None => many.iter().map(tokens).collect(),
    }
}

fn tokens(value: &Value) -> Option<Vec<u32>> {
    let tokens = value.as_array().filter(|tokens| !tokens.is_empty())?;
    tokens.iter().map(|token| token.as_u64()?.try_into().ok()).collect()
}

fn base64(value: &Value) -> Result<bool, ApiError> {
    match value.as_str() {
        Some("float") => Ok(false),
        Some("base64") => Ok(true),
        Some(other) => {
            let message = format!("Invalid value: '{other}'. Supported values are: 'float' and 'base64'.");
            Err(ApiError::bad_request(message).param("encoding_format").code("invalid_value"))
        }
        None => Err(ApiError::invalid("encoding_format")),
    }
}

fn dimensions(value: &Value) -> Result<usize, ApiError> {
    let most = Model::potion().dimensions();
    let complain = |bound| {
        ApiError::bad_request(format!("Invalid value for 'dimensions' = {value}. Must be {bound}.")).param("dimensions")
    };
    match value.as_u64().ok_or_else(|| ApiError::invalid("dimensions"))? {
        0 => Err(complain("greater than or equal to 1".into())),
        wanted if wanted > most as u64 => Err(complain(format!("less than or equal to {most}"))),
        wanted => Ok(wanted as usize),
    }
}

const MOST_INPUTS: usize = 2048;
const NO_JSON: &str = "We could not parse the JSON body of your request. (HINT: This likely means you aren't using \
    your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you \
    have trouble figuring out how to fix this, please contact us through our help center at help.openai.com.)";
