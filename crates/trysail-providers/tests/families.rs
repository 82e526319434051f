//! Answers beyond the recorded ones: what else the servers are known to say.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use bytes::Bytes;
use http::Response;
use trysail_core::{Class, Remedy, Retryable};
use trysail_providers::{InputLimit, Provider, Providers};

use Class::{Auth, Permanent, QuotaExhausted as Quota, Throttled, Transient, Warming};

#[test]
fn each_family_is_understood() {
    let mut wrong = Vec::new();
    for (status, body, class) in ANSWERS {
        let judgement = Providers.judge(&answer(*status, body));
        let retried = judgement.verdict().retry() != Retryable::No;
        if judgement.verdict().class() != *class || retried != matches!(class, Transient | Throttled | Warming) {
            wrong.push(format!("{status} {body}\n  is {class}, judged {judgement:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_too_much_is_split_or_cut() {
    let mut wrong = Vec::new();
    for (status, body, remedy) in SIZES {
        let judgement = Providers.judge(&answer(*status, body));
        if judgement.verdict().class() != Permanent || judgement.verdict().remedy() != Some(*remedy) {
            wrong.push(format!("{status} {body}\n  asks for {remedy:?}, judged {judgement:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_named_provider_speaks_its_own_language_only() {
    let key_limit = answer(403, r#"{"error":{"message":"Key limit exceeded (daily limit)","code":403}}"#);
    assert_eq!(Provider::OpenRouter.judge(&key_limit).verdict().class(), Quota);
    let tei = answer(424, r#"{"error":"Backend error: Model is not an embedding model","error_type":"Backend"}"#);
    assert_eq!(Providers::only(Provider::Tei).judge(&tei).rule(), "tei/ability");
    assert_eq!(Provider::Cohere.judge(&tei).verdict().class(), Transient);
    let nginx = answer(502, "<html><head><title>502 Bad Gateway</title></head></html>");
    assert_eq!(Provider::Tei.judge(&nginx).rule(), "status/502");
}

#[test]
fn a_refusal_that_says_how_much_it_takes_is_split_whatever_its_status() {
    use InputLimit::{Bytes, Inputs, Tokens};
    let batch = r#"{"error":{"message":"batch size 64 > maximum allowed batch size 32"}}"#;
    let statuses = [200, 400, 403, 404, 413, 415, 422, 424, 429, 500, 501, 502, 503, 504];
    let everywhere = statuses.map(|status| (status, batch, Inputs(32)));
    let shapes = [
        (
            422,
            r#"{"detail":[{"loc":["body","input"],"msg":"ensure this value has at most 32 items","type":"value_error.list.max_items","ctx":{"limit_value":32}}]}"#,
            Inputs(32),
        ),
        (
            422,
            r#"{"detail":[{"type":"too_long","loc":["body","input"],"msg":"List should have at most 32 items after validation, not 64","input":["a"]}]}"#,
            Inputs(32),
        ),
        (
            400,
            r#"{"statusCode":400,"message":["input must contain no more than 16 elements"],"error":"Bad Request"}"#,
            Inputs(16),
        ),
        (400, r#"{"detail":"The batch size limit is 128. Your batch size is 200."}"#, Inputs(128)),
        (
            400,
            r#"{"object":"error","message":"Too many tokens in batch. Max is 16384 got 20000","type":"invalid_request_prompt","code":"3210"}"#,
            Tokens(16_384),
        ),
        (
            400,
            r#"[{"error":{"code":400,"message":"* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch","status":"INVALID_ARGUMENT"}}]"#,
            Inputs(100),
        ),
        (400, r#"{"error":{"code":"1214","message":"input数组最大不得超过64条"}}"#, Inputs(64)),
        (500, "batch size must be <= 16", Inputs(16)),
        (413, r#"{"error":{"message":"Request payload size exceeds the limit: 20971520 bytes."}}"#, Bytes(20_971_520)),
    ];
    for (status, body, limit) in everywhere.into_iter().chain(shapes) {
        let judgement = Providers.judge(&answer(status, body));
        let verdict = judgement.verdict();
        assert_eq!((verdict.class(), verdict.retry()), (Permanent, Retryable::No), "{status} {body} {judgement:?}");
        assert_eq!((verdict.remedy(), judgement.limit()), (Some(Remedy::Split), Some(limit)), "{status} {body}");
    }
}

#[test]
fn who_may_not_call_is_told_of_no_limit() {
    for (status, body, class) in [
        (401, r#"{"error":{"message":"at most 32 inputs may be sent as a guest"}}"#, Auth),
        (402, r#"{"error":{"message":"at most 32 inputs in a batch on your plan"}}"#, Quota),
        (400, r#"{"error":{"code":"insufficient_quota","message":"at most 32 inputs in a batch"}}"#, Quota),
        (403, r#"{"error":{"code":"invalid_api_key","message":"at most 32 inputs in a batch"}}"#, Auth),
        (429, r#"{"error":{"message":"Rate limit reached: at most 60 inputs per minute"}}"#, Throttled),
    ] {
        let judgement = Providers.judge(&answer(status, body));
        assert_eq!((judgement.verdict().class(), judgement.limit()), (class, None), "{status} {body}");
    }
}

fn answer(status: u16, body: &'static str) -> Response<Bytes> {
    Response::builder().status(status).body(Bytes::from_static(body.as_bytes())).unwrap()
}

const SIZES: &[(u16, &str, Remedy)] = &[
    (413, "", Remedy::Split),
    (413, "<html><title>413 Request Entity Too Large</title></html>", Remedy::Split),
    (413, r#"{"error":"batch size 64 > maximum allowed batch size 32","error_type":"Validation"}"#, Remedy::Split),
    (
        413,
        r#"{"error":"Input validation error: `inputs` must have less than 512 tokens. Given: 900","error_type":"Validation"}"#,
        Remedy::Truncate,
    ),
    (
        400,
        r#"{"error":{"message":"This model's maximum context length is 8192 tokens, however you requested 10000 tokens","type":"invalid_request_error","param":null,"code":null}}"#,
        Remedy::Truncate,
    ),
    (
        400,
        r#"{"error":{"message":"Invalid 'input[3]': maximum input length is 8192 tokens.","type":"invalid_request_error","param":null,"code":null}}"#,
        Remedy::Truncate,
    ),
    (
        400,
        r#"{"error":{"message":"Invalid 'input': array too long. Expected an array with maximum length 2048, but got an array with length 2049 instead.","type":"invalid_request_error","param":"input","code":"array_above_max_length"}}"#,
        Remedy::Split,
    ),
    (
        400,
        r#"{"error":{"message":"Too many inputs. The max number of inputs is 16.  We hope to increase the number of inputs per request soon.","type":"invalid_request_error"}}"#,
        Remedy::Split,
    ),
    (
        400,
        r#"{"error":{"code":400,"message":"* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch\n","status":"INVALID_ARGUMENT"}}"#,
        Remedy::Split,
    ),
    (
        400,
        r#"{"error":{"code":400,"message":"250 instance(s) is allowed per prediction. Actual: 251","status":"INVALID_ARGUMENT"}}"#,
        Remedy::Split,
    ),
    (
        400,
        r#"{"error":{"code":400,"message":"Unable to submit request because the input token count is 20001 but the model supports up to 20000. Reduce the input token count and try again.","status":"INVALID_ARGUMENT"}}"#,
        Remedy::Truncate,
    ),
    (400, r#"{"message":"invalid request: total number of texts must be at most 96 - received 97"}"#, Remedy::Split),
    (
        400,
        r#"{"message":"too many tokens: total number of tokens in the prompt cannot exceed 4081"}"#,
        Remedy::Truncate,
    ),
    (400, r#"{"detail":"The batch size limit is 128. Your batch size is 129."}"#, Remedy::Split),
    (
        400,
        r#"{"detail":"Request to model 'voyage-2' failed. The example at index 0 in your batch has too many tokens and does not fit into the model's context window of 4000 tokens."}"#,
        Remedy::Truncate,
    ),
    (
        400,
        r#"{"object":"error","message":"Too many tokens in batch. Max is 16384 got 17000","type":"invalid_request_prompt","param":null,"code":"3210"}"#,
        Remedy::Split,
    ),
    (
        400,
        r#"{"message":"400 Bad Request: Too many input tokens. Max input tokens: 8192, request input token count: 9000 "}"#,
        Remedy::Truncate,
    ),
    (
        400,
        r##"{"message":"Malformed input request: #/texts: expected maximum item count: 96, found: 97, please reformat your input and try again."}"##,
        Remedy::Split,
    ),
    (
        400,
        r#"{"message":"Malformed input request: expected maxLength: 50000, actual: 60000, please reformat your input and try again."}"#,
        Remedy::Truncate,
    ),
    (
        400,
        r#"{"error":{"message":"<400> InternalError.Algo.InvalidParameter: Value error, batch size is invalid, it should not be larger than 10.: input.contents","type":"InvalidParameter","code":"InvalidParameter"}}"#,
        Remedy::Split,
    ),
    (
        400,
        r#"{"error":{"message":"<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 8192]","type":"InvalidParameter","code":"InvalidParameter"}}"#,
        Remedy::Truncate,
    ),
    (
        422,
        r#"{"error":{"message":"Value should have at most 1024 items after validation, not 1260","type":"invalid_request_error","param":"input","code":"array_above_max_length"}}"#,
        Remedy::Split,
    ),
    (
        422,
        r#"{"detail":[{"type":"too_long","loc":["body","input"],"msg":"List should have at most 512 items after validation, not 600"}]}"#,
        Remedy::Split,
    ),
    (
        400,
        r#"{"detail":"[RID: x] Validation error: 'body -> jina-embeddings-v4' Each input list can contain at most 512 items."}"#,
        Remedy::Split,
    ),
    (
        500,
        r#"{"error":{"code":500,"message":"input is too large to process. increase the physical batch size","type":"server_error"}}"#,
        Remedy::Truncate,
    ),
    (
        400,
        r#"{"object":"error","message":"Input length 600 exceeds maximum allowed token size 512","type":"invalid_request_error"}"#,
        Remedy::Truncate,
    ),
    (
        400,
        r#"{"error":{"message":"litellm.ContextWindowExceededError: litellm.BadRequestError: OpenAIException - too long","type":null,"param":null,"code":"400"}}"#,
        Remedy::Truncate,
    ),
    (
        413,
        r#"{"error":{"message":"Request too large for model `m` in organization `org` service tier `on_demand` on tokens per minute (TPM): Limit 6000, Requested 9000, please reduce your message size and try again.","type":"tokens","code":"rate_limit_exceeded"}}"#,
        Remedy::Split,
    ),
    (
        429,
        r#"{"error":{"message":"Request too large for text-embedding-3-large in organization org on tokens per min (TPM): Limit 40000, Requested 60000. The input or output tokens must be reduced in order to run successfully.","type":"tokens","param":null,"code":"rate_limit_exceeded"}}"#,
        Remedy::Split,
    ),
    (
        400,
        r#"{"error":{"message":"This endpoint's maximum context length is 8192 tokens. However, you requested about 9000 tokens","code":400}}"#,
        Remedy::Truncate,
    ),
    (
        413,
        r#"{"code":20042,"message":"input batch size 64 > maximum allowed batch size 32","data":null}"#,
        Remedy::Split,
    ),
    (413, "Failed to buffer the request body: length limit exceeded", Remedy::Split),
    (
        400,
        r#"{"error":{"message":"The input (600 tokens) is larger than the max context size (512 tokens). skipping","code":400,"type":"exceed_context_size_error"}}"#,
        Remedy::Truncate,
    ),
];

const ANSWERS: &[(u16, &str, Class)] = &[
    // OpenAI
    (
        429,
        r#"{"error":{"message":"Rate limit reached for m in organization org on requests per day (RPD): Limit 200, Used 200, Requested 1. Please try again in 7m12s.","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#,
        Quota,
    ),
    (
        429,
        r#"{"error":{"message":"Rate limit reached for m in organization org on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 20s.","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#,
        Throttled,
    ),
    (
        429,
        r#"{"error":{"message":"That model is currently overloaded with other requests. You can retry your request","type":"server_error","param":null,"code":null}}"#,
        Transient,
    ),
    (
        429,
        r#"{"error":{"message":"The engine is currently overloaded, please try again later","type":"server_error"}}"#,
        Transient,
    ),
    (
        403,
        r#"{"error":{"message":"Project `proj` does not have access to model `m`","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#,
        Permanent,
    ),
    (
        401,
        r#"{"error":{"message":"You have insufficient permissions for this operation. Missing scopes: model.request.","type":"invalid_request_error","param":null,"code":null}}"#,
        Auth,
    ),
    (
        401,
        r#"{"error":{"message":"Your authentication token has expired","type":"invalid_request_error","code":"token_expired"}}"#,
        Auth,
    ),
    (
        400,
        r#"{"error":{"message":"This model does not support specifying dimensions.","type":"invalid_request_error","param":null,"code":null}}"#,
        Permanent,
    ),
    (
        500,
        r#"{"error":{"message":"The server had an error while processing your request. Sorry about that!","type":"server_error","param":null,"code":null}}"#,
        Transient,
    ),
    (
        403,
        r#"{"error":{"message":"Your access was terminated due to violation of our policies","type":"access_terminated","code":null}}"#,
        Auth,
    ),
    // Azure
    (403, r#"{"error":{"code":"403","message":"Access denied due to Virtual Network/Firewall rules."}}"#, Auth),
    (
        404,
        r#"{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again."}}"#,
        Permanent,
    ),
    (
        400,
        r#"{"error":{"code":"OperationNotSupported","message":"The embeddings operation does not work with the specified model, gpt-4. Please choose different model and try again."}}"#,
        Permanent,
    ),
    (
        401,
        r#"{"error":{"code":"PermissionDenied","message":"The principal `x` lacks the required data action."}}"#,
        Auth,
    ),
    (
        401,
        r#"{ "statusCode": 401, "message": "Unauthorized. Access token is missing, invalid, audience is incorrect, or have expired." }"#,
        Auth,
    ),
    (
        429,
        r#"{"error":{"code":"429","message":"Your requests to e for m in East US 2 have exceeded the token rate limit. Please retry after 60 seconds."}}"#,
        Throttled,
    ),
    (
        429,
        r#"{"error":{"code":"RateLimitReached","message":"Rate limit of 150 per 86400s exceeded for UserByModelByDay. Please wait 3122 seconds before retrying."}}"#,
        Quota,
    ),
    (
        429,
        r#"{"error":{"code":"no_capacity","message":"The system is currently experiencing high demand and cannot process your request.","type":"too_many_requests"}}"#,
        Transient,
    ),
    (408, r#"{"error":{"code":"Timeout","message":"The operation was timeout."}}"#, Transient),
    (
        403,
        r#"{"error":{"code":"AuthenticationTypeDisabled","message":"Key based authentication is disabled for this resource."}}"#,
        Auth,
    ),
    (
        500,
        r#"{"error":{"code":"InternalServerError","message":"Backend returned unexpected response. Please contact Microsoft for help."}}"#,
        Transient,
    ),
    // Cohere
    (
        429,
        r#"{"message":"You are using a Trial key, which is limited to 40 API calls / minute. You can continue to use the Trial key for free or upgrade to a Production key with higher rate limits"}"#,
        Throttled,
    ),
    (401, r#"{"message":"no api key supplied"}"#, Auth),
    (402, r#"{"message":"You have reached your billing limit"}"#, Quota),
    (498, r#"{"message":"blocked input: please adjust your prompt"}"#, Permanent),
    (500, r#"{"message":"internal server error, this has been reported to our developers. id 1"}"#, Transient),
    (400, r#"{"message":"invalid request: valid input_type must be provided with the provided model"}"#, Permanent),
    // Voyage
    (
        429,
        r#"{"detail":"You have not yet added your payment method in the billing page and will have reduced rate limits of 3 RPM and 10K TPM. To unlock our standard rate limits, please add a payment method in the billing page"}"#,
        Throttled,
    ),
    (400, r#"{"detail":"Model voyage-99 is not supported. Supported models are ['voyage-2']."}"#, Permanent),
    (429, r#"{"detail":"Rate limit exceeded."}"#, Throttled),
    // Mistral
    (
        429,
        r#"{"object":"error","message":"Rate limit exceeded","type":"rate_limited","param":null,"code":"1300"}"#,
        Throttled,
    ),
    (
        429,
        r#"{"object":"error","message":"Service tier capacity exceeded for this model.","type":"service_tier_capacity_exceeded","param":null,"code":"3505"}"#,
        Throttled,
    ),
    (
        400,
        r#"{"object":"error","message":"Invalid model: nope","type":"invalid_model","param":null,"code":"1500"}"#,
        Permanent,
    ),
    (
        503,
        r#"{"object":"error","message":"Service unavailable.","type":"internal_server_error","param":null,"code":"3700"}"#,
        Transient,
    ),
    (401, r#"{"message":"Inactive subscription or usage limit reached. Please check Workspace limits"}"#, Quota),
    (401, r#"{"detail":"Unauthorized"}"#, Auth),
    // Google
    (
        429,
        r#"{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaMetric":"generativelanguage.googleapis.com/embed_content_free_tier_requests","quotaId":"EmbedContentRequestsPerDayPerUserPerProjectPerModel-FreeTier","quotaValue":"1000"}]},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34s"}]}}"#,
        Quota,
    ),
    (
        429,
        r#"{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"EmbedContentRequestsPerMinutePerUserPerProjectPerModel-FreeTier"}]},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34s"}]}}"#,
        Throttled,
    ),
    (
        429,
        r#"{"error":{"code":429,"message":"Quota exceeded for quota metric 'Generate Content API requests per minute' and limit 'GenerateContent request limit per minute for a region' of service 'generativelanguage.googleapis.com'","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"RATE_LIMIT_EXCEEDED","domain":"googleapis.com","metadata":{"quota_limit":"GenerateContentRequestsPerMinutePerProjectPerRegion"}}]}}"#,
        Throttled,
    ),
    (
        429,
        r#"{"error":{"code":429,"message":"Your prepayment credits are depleted. Please go to AI Studio to manage your project and billing.","status":"RESOURCE_EXHAUSTED"}}"#,
        Quota,
    ),
    (
        403,
        r#"{"error":{"code":403,"message":"Your API key was reported as leaked. Please use another API key.","status":"PERMISSION_DENIED"}}"#,
        Auth,
    ),
    (
        403,
        r#"{"error":{"code":403,"message":"Request had insufficient authentication scopes.","status":"PERMISSION_DENIED","details":[{"reason":"ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]}}"#,
        Auth,
    ),
    (
        403,
        r#"{"error":{"code":403,"message":"This API method requires billing to be enabled. Please enable billing on project #x","status":"PERMISSION_DENIED","details":[{"reason":"BILLING_DISABLED"}]}}"#,
        Quota,
    ),
    (
        403,
        r#"{"error":{"code":403,"message":"Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.","status":"PERMISSION_DENIED"}}"#,
        Auth,
    ),
    (499, r#"{"error":{"code":499,"message":"The operation was cancelled.","status":"CANCELLED"}}"#, Transient),
    (
        500,
        r#"{"error":{"code":500,"message":"An internal error has occurred. Please retry or report","status":"INTERNAL"}}"#,
        Transient,
    ),
    (
        400,
        r#"{"error":{"code":400,"message":"API key expired. Please renew the API key.","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}"#,
        Auth,
    ),
    (
        429,
        r#"{"error":{"message":"{\n  \"error\": {\n    \"code\": 429,\n    \"message\": \"Resource has been exhausted (e.g. check quota).\",\n    \"status\": \"RESOURCE_EXHAUSTED\"\n  }\n}\n","code":429,"status":"Too Many Requests"}}"#,
        Throttled,
    ),
    (
        502,
        "<html><title>Error 502 (Server Error)!!1</title><body><p>The server encountered a temporary error and could not complete your request.<p>Please try again in 30 seconds.</body></html>",
        Transient,
    ),
    // Bedrock
    (
        429,
        r#"{"__type":"ThrottlingException","message":"Too many tokens per day, please wait before trying again."}"#,
        Quota,
    ),
    (429, r#"{"message":"Too many tokens, please wait before trying again."}"#, Throttled),
    (
        400,
        r#"{"__type":"com.amazon.coral.service#ThrottlingException","message":"Too many tokens, please wait before trying again."}"#,
        Throttled,
    ),
    (403, r#"{"message":"You don't have access to the model with the specified model ID."}"#, Auth),
    (
        403,
        r#"{"message":"The security token included in the request is invalid.","__type":"com.amazon.coral.service#UnrecognizedClientException"}"#,
        Auth,
    ),
    (400, r#"{"message":"The provided model identifier is invalid.","__type":"ValidationException"}"#, Permanent),
    (
        400,
        r#"{"message":"Invocation of model ID x with on-demand throughput isn’t supported. Retry your request with the ID or ARN of an inference profile that contains this model."}"#,
        Permanent,
    ),
    (503, r#"{"message":"Bedrock is unable to process your request."}"#, Transient),
    (
        424,
        r#"{"message":"The request failed due to an error while processing the model.","__type":"ModelErrorException"}"#,
        Transient,
    ),
    (
        400,
        r#"{"__type":"InvalidSignatureException","message":"Signature expired: 20260101T000000Z is now earlier than 20260101T000500Z"}"#,
        Auth,
    ),
    // Hugging Face, TEI
    (503, r#"{"error":"Model BAAI/bge is currently loading","estimated_time":20.0}"#, Warming),
    (429, r#"{"error":"Rate limit reached. Please log in or use a HF access token"}"#, Throttled),
    (403, r#"{"error":"The model x is too large to be loaded automatically (14GB > 10GB)."}"#, Permanent),
    (504, r#"{"error":"Model too busy, unable to get response in less than 60 second(s)"}"#, Transient),
    (400, r#"{"error":"Authorization header is correct, but the token seems invalid"}"#, Auth),
    (401, r#"{"error":"Invalid username or password."}"#, Auth),
    (400, r#"{"error":"Bad Request: The endpoint is paused, ask a maintainer to restart it"}"#, Permanent),
    (503, r#"{"error":"503 Service Unavailable: the endpoint is scaled to zero and is starting up"}"#, Warming),
    (400, r#"{"error":["Error in `inputs`: field required"]}"#, Permanent),
    (
        500,
        r#"{"error":"unknown error","warnings":["There was an inference error: unknown error: CUDA out of memory"]}"#,
        Transient,
    ),
    (429, r#"{"error":"Model is overloaded","error_type":"Overloaded"}"#, Transient),
    (503, r#"{"error":"unhealthy","error_type":"unhealthy"}"#, Transient),
    (422, r#"{"error":"Tokenization error: missing field","error_type":"Tokenizer"}"#, Permanent),
    (
        424,
        r#"{"error":"Backend error: Inference error: CublasError(CUBLAS_STATUS_NOT_SUPPORTED)","error_type":"Backend"}"#,
        Transient,
    ),
    (424, r#"{"message":"Model is not a re-ranker model","code":424,"type":"Backend"}"#, Permanent),
    (400, r#"{"message":"`dimensions` is not supported by this model","code":400,"type":"Validation"}"#, Permanent),
    // Ollama
    (404, r#"{"error":"model \"nope\" not found, try pulling it first"}"#, Permanent),
    (500, r#"{"error":"do embedding request: Post \"http://127.0.0.1:33967/embedding\": EOF"}"#, Transient),
    (500, r#"{"error":"llama runner process has terminated: exit status 2"}"#, Transient),
    (500, r#"{"error":"model requires more system memory (6.0 GiB) than is available (2.0 GiB)"}"#, Permanent),
    (503, r#"{"error":"llm server loading model"}"#, Warming),
    (400, r#"{"error":"this model does not support embeddings"}"#, Permanent),
    (
        400,
        r#"{"error":{"message":"do embedding request: Post \"http://127.0.0.1:1/embedding\": read tcp 127.0.0.1:5->127.0.0.1:1: wsarecv: An existing connection was forcibly closed by the remote host.","type":"api_error"}}"#,
        Transient,
    ),
    (500, r#"{"error":"failed to encode response: json: unsupported value: NaN"}"#, Transient),
    (429, r#"{"error":"you've reached your weekly usage limit, please upgrade to continue"}"#, Quota),
    (429, r#"{"error":"too many concurrent requests"}"#, Throttled),
    (401, r#"{"error":"unauthorized"}"#, Auth),
    (400, r#"{"error":"invalid input type"}"#, Permanent),
    // vLLM, llama.cpp
    (
        500,
        r#"{"error":{"message":"EngineCore encountered an issue. See stack trace (above) for the root cause.","type":"InternalServerError","param":null,"code":500}}"#,
        Transient,
    ),
    (401, r#"{"error":"Unauthorized"}"#, Auth),
    (
        400,
        r#"{"object":"error","message":"The model does not support Embeddings API","type":"BadRequestError","param":null,"code":400}"#,
        Permanent,
    ),
    (
        400,
        r#"{"object":"error","message":"Model \"m\" does not support matryoshka representation, changing output dimensions will lead to poor results.","type":"BadRequestError","param":null,"code":400}"#,
        Permanent,
    ),
    (503, r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#, Warming),
    (401, r#"{"error":{"code":401,"message":"Invalid API Key","type":"authentication_error"}}"#, Auth),
    (404, r#"{"error":{"code":404,"message":"File Not Found","type":"not_found_error"}}"#, Permanent),
    (502, "unable to start process: upstream command exited prematurely", Transient),
    // LiteLLM, OpenRouter
    (
        429,
        r#"{"error":{"message":"litellm.RateLimitError: AzureException RateLimitError - Requests to the Embeddings_Create Operation have exceeded call rate limit. Please retry after 5 seconds.. Received Model Group=e\nAvailable Model Group Fallbacks=None","type":"throttling_error","param":null,"code":"429"}}"#,
        Throttled,
    ),
    (
        429,
        r#"{"error":{"message":"litellm.RateLimitError: RateLimitError: OpenAIException - Error code: 429 - {'error': {'message': 'You exceeded your current quota, please check your plan and billing details.', 'type': 'insufficient_quota', 'param': None, 'code': 'insufficient_quota'}}","type":null,"param":null,"code":"429"}}"#,
        Quota,
    ),
    (
        400,
        r#"{"error":{"code":"400","message":"litellm.BadRequestError: AnthropicException - b'{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"You have reached your specified API usage limits. You will regain access on 2026-09-01 at 00:00 UTC.\"}}'"}}"#,
        Quota,
    ),
    (
        500,
        r#"{"error":{"message":"litellm.APIConnectionError: OpenAIException - Connection error.","type":null,"param":null,"code":"500"}}"#,
        Transient,
    ),
    (
        500,
        r#"{"error":{"message":"litellm.AuthenticationError: AuthenticationError: OpenAIException - Incorrect API key provided: sk-x","type":null,"param":null,"code":"500"}}"#,
        Auth,
    ),
    (
        401,
        r#"{"error":{"message":"Authentication Error, Invalid proxy server token passed. Received API Key = sk-...x, Key Hash (Token) =y. Unable to find token in cache or `LiteLLM_VerificationTokenTable`","type":"token_not_found_in_db","param":"key","code":"401"}}"#,
        Auth,
    ),
    (
        400,
        r#"{"error":{"message":"ExceededBudget: User=x over budget. Spend=5, Budget=1","type":"budget_exceeded","param":null,"code":"400"}}"#,
        Quota,
    ),
    (
        429,
        r#"{"error":{"message":"Max parallel request limit reached Crossed TPM / RPM / Max Parallel Request Limit for api_key: x, tpm_limit: 1, current_tpm: 2","type":"None","param":"None","code":"429"}}"#,
        Throttled,
    ),
    (
        400,
        r#"{"error":{"message":"/embeddings: Invalid model name passed in model=nope. Call `/v1/models` to view available models for your key.","type":"invalid_request_error","param":"None","code":"400"}}"#,
        Permanent,
    ),
    (
        408,
        r#"{"error":{"message":"litellm.Timeout: APITimeoutError - Request timed out.","type":null,"param":null,"code":"408"}}"#,
        Transient,
    ),
    (
        500,
        r#"{"error":{"message":"No healthy deployment available, passed model=e. ","type":"None","param":"None","code":"500"}}"#,
        Transient,
    ),
    (
        429,
        r#"{"error":{"message":"Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day","code":429,"metadata":{"headers":{"X-RateLimit-Limit":"50","X-RateLimit-Remaining":"0","X-RateLimit-Reset":"1741305600000"}}}}"#,
        Quota,
    ),
    (429, r#"{"error":{"message":"Rate limit exceeded: free-models-per-min. ","code":429}}"#, Throttled),
    (429, r#"{"error":{"message":"Rate limit exceeded: limit_rpd/m/54276bca","code":429}}"#, Quota),
    (429, r#"{"error":{"message":"Rate limit exceeded: limit_rpm/m/54276bca","code":429}}"#, Throttled),
    (
        200,
        r#"{"error":{"message":"Provider returned error","code":429,"metadata":{"raw":"error code: 1015","provider_name":"Kluster"}}}"#,
        Throttled,
    ),
    (
        200,
        r#"{"error":{"message":"HTTP 429: {\"error\":{\"code\":\"RateLimitReached\",\"message\":\"Your requests have exceeded the call rate limit. Please retry after 2 seconds.\"}}","code":429}}"#,
        Throttled,
    ),
    (
        402,
        r#"{"error":{"message":"Insufficient credits. Add more using https://openrouter.ai/settings/credits","code":402}}"#,
        Quota,
    ),
    (
        403,
        r#"{"error":{"message":"Key limit exceeded (monthly limit). Manage it using https://openrouter.ai/settings/keys","code":403}}"#,
        Quota,
    ),
    (
        403,
        r#"{"error":{"message":"m requires moderation. Your input was flagged for \"violence\"","code":403,"metadata":{"reasons":["violence"]}}}"#,
        Permanent,
    ),
    (404, r#"{"error":{"message":"No endpoints found for nope.","code":404}}"#, Permanent),
    (401, r#"{"error":{"message":"User not found.","code":401}}"#, Auth),
    (
        502,
        r#"{"error":{"message":"Provider returned error","code":502,"metadata":{"raw":"{\"error\":{\"message\":\"Insufficient Balance\",\"type\":\"unknown_error\",\"code\":\"invalid_request_error\"}}"}}}"#,
        Quota,
    ),
    (503, r#"{"error":{"message":"No instances available (yet)","code":503}}"#, Transient),
    // Jina, NVIDIA, Together, Fireworks
    (401, r#"{"detail":"Invalid API key, please get a new one from https://jina.ai/?sui=apikey"}"#, Auth),
    (
        429,
        r#"{"data":null,"code":429,"name":"RateLimitTriggeredError","status":42903,"message":"Per UID rate limit exceeded (RPM limit 500)"}"#,
        Throttled,
    ),
    (
        401,
        r#"{"data":null,"code":401,"name":"AuthenticationRequiredError","status":40103,"message":"Invalid API key"}"#,
        Auth,
    ),
    (
        402,
        r#"{"status":402,"title":"Payment Required","detail":"Account 'x': Cloud credits expired - Please contact NVIDIA representatives"}"#,
        Quota,
    ),
    (503, r#"{"detail":"ResourceExhausted: Worker local total request limit reached (48/16)"}"#, Transient),
    (
        400,
        r#"{"object":"error","message":"'input_type' parameter is required for asymmetric models","detail":{},"type":"invalid_request_error"}"#,
        Permanent,
    ),
    (
        402,
        r#"{"error":{"message":"Credit limit exceeded, please navigate to https://api.together.xyz/settings/billing to update your credit limit.","type":"credit_limit","param":null,"code":"credit_limit"}}"#,
        Quota,
    ),
    (
        503,
        r#"{"error":{"message":"The server is overloaded or not ready yet.","type":"service_unavailable","param":null,"code":"service_unavailable"}}"#,
        Transient,
    ),
    (
        404,
        r#"{"error":{"message":"Unable to access model nope. Please visit https://api.together.ai/models to view the list of supported models.","type":"invalid_request_error","param":null,"code":"model_not_available"}}"#,
        Permanent,
    ),
    (
        503,
        r#"{"error":{"code":"DEPLOYMENT_SCALING_UP","message":"Deployment is currently scaled to zero and is scaling up. Please retry your request in a few minutes.","type":"error"}}"#,
        Warming,
    ),
    (
        404,
        r#"{"error":{"message":"Model not found, inaccessible, and/or not deployed","code":"NOT_FOUND"}}"#,
        Permanent,
    ),
    // Anthropic, xAI, DeepSeek, Groq
    (
        400,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits."}}"#,
        Quota,
    ),
    (
        403,
        r#"{"code":"The caller does not have permission to execute the specified operation","error":"Your newly created team doesn't have any credits yet. You can purchase credits on https://console.x.ai."}"#,
        Quota,
    ),
    (
        429,
        r#"{"code":"Some resource has been exhausted","error":"Your team has either used all available credits or reached its monthly spending limit."}"#,
        Quota,
    ),
    (
        400,
        r#"{"code":"Client specified an invalid argument","error":"Incorrect API key provided: xa***yz. You can obtain an API key from https://console.x.ai."}"#,
        Auth,
    ),
    (503, r#"{"error":{"message":"Server overloaded","type":"server_error"}}"#, Transient),
    (498, r#"{"error":{"message":"Flex tier capacity exceeded","type":"flex","code":"capacity_exceeded"}}"#, Transient),
    (
        429,
        r#"{"error":{"message":"Rate limit reached for model `m` on tokens per day (TPD): Limit 500000, Used 499000, Requested 2000. Please try again in 2m52.8s.","type":"tokens","code":"rate_limit_exceeded"}}"#,
        Quota,
    ),
    // China
    (401, r#"{"error":{"code":"1001","message":"Header中未收到Authorization参数，无法进行身份验证。"}}"#, Auth),
    (429, r#"{"error":{"code":"1302","message":"您当前使用该API的并发数过高，请降低并发"}}"#, Throttled),
    (429, r#"{"error":{"code":"1305","message":"The API has triggered a rate limit."}}"#, Throttled),
    (
        400,
        r#"{"code":"Arrearage","message":"Access denied, please make sure your account is in good standing."}"#,
        Quota,
    ),
    (
        403,
        r#"{"error":{"message":"The free tier of the model has been exhausted.","type":"AllocationQuota.FreeTierOnly","code":"AllocationQuota.FreeTierOnly"}}"#,
        Quota,
    ),
    (
        429,
        r#"{"code":"Throttling.RateQuota","message":"Requests rate limit exceeded, please try again later."}"#,
        Throttled,
    ),
    (200, r#"{"base_resp":{"status_code":1004,"status_msg":"login fail"}}"#, Auth),
    (200, r#"{"vectors":null,"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}"#, Quota),
    (200, r#"{"error_code":110,"error_msg":"Access token invalid or no longer valid"}"#, Auth),
    (200, r#"{"error_code":17,"error_msg":"Open api daily request limit reached"}"#, Quota),
    (
        429,
        r#"{"error":{"message":"Your account org is suspended, please check your plan and billing details","type":"exceeded_current_quota_error"}}"#,
        Quota,
    ),
    (
        429,
        r#"{"error":{"message":"The engine is currently overloaded, please try again later","type":"engine_overloaded_error"}}"#,
        Transient,
    ),
    (
        429,
        r#"{"error":{"message":"Your account reached max request concurrency: 1, please try again after 1 seconds","type":"rate_limit_reached_error"}}"#,
        Throttled,
    ),
    (
        403,
        r#"{"error":{"code":"AccountOverdueError","message":"The request failed because your account has an overdue balance.","type":"Forbidden"}}"#,
        Quota,
    ),
    (503, r#"{"code":50505,"message":"Model service overloaded. Please try again later.","data":null}"#, Transient),
    (
        429,
        r#"{"message":"Request was rejected due to rate limiting. If you want more, please contact contact@siliconflow.com. Details:TPM limit reached.","data":null}"#,
        Throttled,
    ),
    // Words that mislead
    (
        429,
        r#"{"error":{"type":"rate_limit_error","code":"concurrent_budget_exceeded","message":"Concurrency budget exceeded for basic tier"}}"#,
        Throttled,
    ),
    (429, r#"{"data":null,"retryAfter":1,"code":429,"name":"RateLimitTriggeredError"}"#, Throttled),
    (
        429,
        r#"{"error":{"message":"litellm.RateLimitError: ChatgptException - {\"error\":{\"type\":\"usage_limit_reached\",\"message\":\"The usage limit has been reached\"}}","type":"throttling_error","code":"429"}}"#,
        Quota,
    ),
    (
        429,
        r#"{"error":{"message":"You have no credits remaining. Add credits to continue using the API.","type":"insufficient_quota","code":"credit_balance_exhausted"}}"#,
        Quota,
    ),
    (400, r#"{"error":{"message":"Pass at most 429 tokens, then try again in the next request."}}"#, Permanent),
    // Gateways
    (403, "error code: 1020", Permanent),
    (429, "error code: 1015", Throttled),
    (530, "error code: 1033", Transient),
    (502, "error code: 502", Transient),
    (
        403,
        "<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head><body><h1>Sorry, you have been blocked</h1></body></html>",
        Permanent,
    ),
    (
        429,
        r#"{"result":{},"success":false,"errors":[{"code":3036,"message":"AiError: you have used up your daily free allocation of 10,000 neurons"}],"messages":[]}"#,
        Quota,
    ),
    (
        429,
        r#"{"errors":[{"message":"AiError: AiError: Capacity temporarily exceeded, please try again.","code":3040}],"success":false,"result":{},"messages":[]}"#,
        Transient,
    ),
    (
        400,
        r#"{"success":false,"errors":[{"code":10000,"message":"Authentication error"}],"messages":[],"result":null}"#,
        Auth,
    ),
    (
        400,
        r#"{"success":false,"errors":[{"code":7003,"message":"Could not route to /client/v4/accounts/x, perhaps your object identifier is invalid?"}],"result":null}"#,
        Permanent,
    ),
    (403, "RBAC: access denied", Auth),
    (401, "Jwt is expired", Auth),
    (503, "upstream connect error or disconnect/reset before headers. reset reason: overflow", Transient),
    (504, "upstream request timeout", Transient),
    (429, r#"{"message":"Limit Exceeded"}"#, Quota),
    (429, r#"{"message":"Too Many Requests"}"#, Throttled),
    (403, r#"{"message":"Forbidden"}"#, Auth),
    (504, r#"{"message":"Endpoint request timed out"}"#, Transient),
    (
        404,
        "<html><head><title>404 Not Found</title></head><body><center><h1>404 Not Found</h1></center><hr><center>nginx</center></body></html>",
        Permanent,
    ),
    (404, "404 page not found", Permanent),
    (404, r#"{"detail":"Not Found"}"#, Permanent),
    (503, r#"{"message":"failure to get a peer from the ring-balancer"}"#, Transient),
    (421, "Misdirected Request", Transient),
    (507, "", Transient),
    (418, "", Permanent),
    (499, "", Transient),
];

#[test]
fn an_address_that_the_server_does_not_know_is_no_trouble_that_passes() {
    for (status, body) in [
        (200, r#"{"error":"Unexpected endpoint or method. (POST /embeddings)"}"#),
        (200, r#"{"error":{"message":"Unknown endpoint"}}"#),
        (200, r#"{"error":"no Route matched with those values"}"#),
        (400, r#"{"error":{"message":"Invalid URL (POST /v1/embed)","type":"invalid_request_error"}}"#),
        (500, r#"{"message":"Cannot POST /embeddings"}"#),
        (404, "404 page not found"),
        (405, r#"{"detail":"Method Not Allowed"}"#),
    ] {
        let judgement = Providers.judge(&answer(status, body));
        let verdict = judgement.verdict();
        assert_eq!((verdict.class(), verdict.retry()), (Permanent, Retryable::No), "{status} {body}");
        assert_eq!(judgement.rule(), "generic/route", "{status} {body}");
    }
    let mut text = answer(200, "404 page not found");
    text.extensions_mut().insert(trysail_http::Expected::vectors(1));
    assert_eq!(Providers.judge(&text).rule(), "generic/route");
}
