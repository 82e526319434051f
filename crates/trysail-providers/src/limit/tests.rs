use super::InputLimit::{self, Bytes, Inputs, Tokens};

fn limit(text: &str) -> Option<InputLimit> {
    InputLimit::of(&text.to_lowercase(), false)
}

#[test]
fn the_number_is_read_from_the_words_of_the_server() {
    let table = [
        ("batch size 60 > maximum allowed batch size 32", Inputs(32)),
        (
            "<400> InternalError.Algo.InvalidParameter: Value error, batch size is invalid, it should not be larger than 10.: input.contents",
            Inputs(10),
        ),
        (
            "Too many inputs. The max number of inputs is 1. We hope to increase the number of inputs per request soon.",
            Inputs(1),
        ),
        ("* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch", Inputs(100)),
        ("Invalid request: max 300000 tokens per request", Tokens(300_000)),
        ("Requested 306153 tokens, max 300000 tokens per request", Tokens(300_000)),
        ("Invalid 'input': maximum request size is 300,000 tokens per request.", Tokens(300_000)),
        ("List should have at most 32 items after validation, not 64", Inputs(32)),
        ("ensure this value has at most 32 items", Inputs(32)),
        ("invalid request: total number of texts must be at most 96 - received 128", Inputs(96)),
        ("The batch size limit is 128. Your batch size is 200.", Inputs(128)),
        (
            "Request to model 'voyage-3' failed. The max allowed tokens per submitted batch is 320000. Your batch has 400000 tokens after truncation.",
            Tokens(320_000),
        ),
        ("Too many tokens in batch. Max is 16384 got 20000", Tokens(16_384)),
        (
            "array too long. Expected an array with maximum length 2048, but got an array with length 3000 instead",
            Inputs(2_048),
        ),
        (
            "Invalid 'input': array too long. Expected an array with maximum length 2048, but got an array with length 3000 instead.",
            Inputs(2_048),
        ),
        ("[request id: <id_unknown>] inference request batch-size must be <= 16 for 'bge-m3'", Inputs(16)),
        ("batch size must be <= 16", Inputs(16)),
        ("Number of texts exceeds the limit of 25", Inputs(25)),
        ("Input array exceeds the limit of 25", Inputs(25)),
        ("input数组最大不得超过64条", Inputs(64)),
        ("API 调用参数有误，请检查文档：input 数组最大不得超过 64 条", Inputs(64)),
        ("批量大小不能超过10", Inputs(10)),
        ("输入文本最多支持25条，当前为64条", Inputs(25)),
        ("输入数量64超过最大限制32", Inputs(32)),
        ("入力は最大32件までです", Inputs(32)),
        ("Please send 10 or fewer inputs", Inputs(10)),
        ("send 10 or fewer texts at once", Inputs(10)),
        ("A request must contain no more than 2,048 items.", Inputs(2_048)),
        ("Only up to 16 documents are supported per call", Inputs(16)),
        ("expected maximum item count: 96, found: 128", Inputs(96)),
        (
            "Malformed input request: #/texts: expected maximum item count: 96, found: 128, please reformat your input and try again.",
            Inputs(96),
        ),
        ("250 instance(s) is allowed per prediction. Actual: 300.", Inputs(250)),
        ("maximum batch size exceeded: 64 (limit 32)", Inputs(32)),
        ("batch size limit exceeded: 64 > 32", Inputs(32)),
        ("Batch size limit: 64 exceeds 32", Inputs(32)),
        ("Batch size 300 exceeds max batch size 259", Inputs(259)),
        ("The number of input must be less than or equal to 256", Inputs(256)),
        ("texts number should not be greater than 16", Inputs(16)),
        ("the length of texts must be less than 17", Inputs(16)),
        ("number of inputs must be between 1 and 96", Inputs(96)),
        ("length of inputs must be in [1, 128]", Inputs(128)),
        ("length of inputs must be in [1,128]", Inputs(128)),
        ("input list size should be 1-25", Inputs(25)),
        ("only one input is supported", Inputs(1)),
        ("This model accepts only a single text", Inputs(1)),
        ("cannot embed more than one document", Inputs(1)),
        ("max_batch_size (32) exceeded by 64 inputs", Inputs(32)),
        ("len(texts)=64, MAX_BATCH_SIZE=32", Inputs(32)),
        ("input must contain no more than 32 elements", Inputs(32)),
        ("limit is 32, your batch size is 64", Inputs(32)),
        ("You sent 64 inputs, allowed are 32", Inputs(32)),
        ("64 inputs were sent, 32 inputs allowed", Inputs(32)),
        ("Too many documents: 100. The maximum is 64.", Inputs(64)),
        ("Input list length 3000 is larger than the largest allowed size 2048", Inputs(2_048)),
        ("the sum of tokens must not exceed 300 000 tokens", Tokens(300_000)),
        ("the batch holds 40000 tokens, more than the 32k tokens allowed", Tokens(32_000)),
        ("Your request exceeds the maximum of 120_000 tokens", Tokens(120_000)),
        ("Request payload size exceeds the limit: 20971520 bytes.", Bytes(20_971_520)),
        ("request body must be at most 4MB", Bytes(4_000_000)),
        ("Payload too large, maximum 2 MiB", Bytes(2 << 20)),
        ("grpc: received message larger than max (5000000 vs. 4194304 bytes)", Bytes(4_194_304)),
        ("maximum body size is 1048576", Bytes(1_048_576)),
        (
            "litellm.BadRequestError: OpenAIException - Error code: 400 - {'error': {'message': 'batch size 60 > maximum allowed batch size 32', 'code': 400}}",
            Inputs(32),
        ),
        ("max client batch size 32 exceeded: 64", Inputs(32)),
        ("Maximum batch size of 32 exceeded", Inputs(32)),
        ("Total tokens of all inputs must not exceed 300000 tokens", Tokens(300_000)),
        ("Only 1 input is allowed", Inputs(1)),
        ("Only supports batch size 1", Inputs(1)),
        ("Request body exceeded 10485760 bytes", Bytes(10_485_760)),
        ("Array must contain at most 96 element(s)", Inputs(96)),
        ("must NOT have more than 100 items", Inputs(100)),
        ("Too big: expected array to have <=96 items", Inputs(96)),
        ("A batch may hold 100 requests at most", Inputs(100)),
        ("the total number of tokens in the batch (400000) exceeds the limit of 320000", Tokens(320_000)),
        ("batch of 20000 tokens exceeds max_batch_tokens 16384", Tokens(16_384)),
        ("total tokens in request: 306153. Max tokens per request: 300000", Tokens(300_000)),
        ("请求的文本数量超过限制，最大支持 16 条", Inputs(16)),
        ("单次请求最多支持10个文本", Inputs(10)),
        ("batch size 不能大于 25", Inputs(25)),
        ("Body exceeded 1mb limit", Bytes(1_000_000)),
        ("Input batch size 64 exceeds the model's limit of 10.", Inputs(10)),
        ("the batch is over the server’s maximum of 16 texts", Inputs(16)),
        ("At most ten inputs are allowed per request.", Inputs(10)),
        ("a request may hold no more than one hundred texts", Inputs(100)),
        ("This endpoint accepts only two sentences", Inputs(2)),
        (
            "texts: List should have at most 96 items after validation, not 128 [type=too_long, input_value=['a', 'b'], input_type=list]",
            Inputs(96),
        ),
    ];
    let wrong = table.iter().map(|(text, expected)| (text, limit(text), Some(*expected)));
    let wrong = wrong.filter(|(_, found, expected)| found != expected).collect::<Vec<_>>();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn numbers_of_other_things_are_no_limit_of_a_batch() {
    let table = [
        "",
        "This model's maximum context length is 8192 tokens, however you requested 9213 tokens (9213 in your prompt; 0 for the completion).",
        "This model's maximum context length is 512 tokens. However, you requested 523 tokens in the input for embedding generation.",
        "Input validation error: `inputs` must have less than 512 tokens. Given: 645",
        "Invalid 'input[3]': string too long. Expected a string with maximum length 10485760, but got a string with length 20000000 instead.",
        "too many tokens: total number of tokens in the prompt cannot exceed 4081",
        "Each input must be at most 8192 tokens in a batch",
        "The maximum number of tokens per text is 2048 in this request",
        "request (2009 tokens) exceeds the available context size (512 tokens), try increasing it",
        "expected maxLength: 2048, actual: 3000",
        "Too many input tokens. Max input tokens: 8192, request input token count: 13543",
        "Rate limit reached for requests. Limit: 20 / min. Please try again in 3s",
        "Rate limit reached on tokens per min (TPM): Limit 40000, Used 39000, Requested 2000",
        "Request too large for text-embedding-3-small on tokens per min (TPM): Limit 40000, Requested 50000",
        "at most 5 concurrent requests in a batch",
        "maximum pending requests exceeded: 100 in batch",
        "your batch queue limit of 3000000 tokens",
        "dimensions must be at most 1536",
        "batch dimensions must be less than or equal to 1024",
        "embedding dimension 1024 exceeds the maximum of 768",
        "Text must be at most 2048 characters in each list",
        "the batch timed out: maximum of 30 seconds",
        "text-embedding-3-small accepts no such batch",
        "The model gpt-4-32 does not exist",
        "batch failed at item 3",
        "Input list must have at least 1 item",
        "batch size must be greater than 0",
        "batch size must be > 0",
        "batch size must be more than 1",
        "batch size 64 not allowed",
        "your batch has 64 inputs",
        "Invalid input: 'at most 3 items may be in a batch, it said'",
        "temperature must be <= 2",
        "max retries 3 exceeded for batch",
        "单条文本最大长度为8192个token",
        "输入长度超过最大限制 8192 字符",
        "每分钟最多 60 个请求",
        "Sequence length 600 exceeds the maximum of 512 in batch",
        "A text in your batch has 9000 tokens, max is 8192",
        "input at position 3 exceeds the maximum of 8192 tokens in batch",
        "The input batch[3] is longer than 512 tokens",
        "Range of input length should be [1, 8192]",
        "input size exceeds limit of 8192",
        "Token count 9000 exceeds model maximum of 8192 tokens per input",
        "Failed after 3 attempts for batch of 32 inputs",
        "at most ten tokens a text in each batch",
        "two inputs of the batch are empty",
        "ten models support no more than a batch",
    ];
    let wrong = table.iter().map(|text| (text, limit(text))).filter(|(_, found)| found.is_some()).collect::<Vec<_>>();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_is_known_to_speak_of_inputs_need_not_name_them() {
    for (text, expected) in [
        ("input length is larger than the largest allowed size 2048", Some(Inputs(2_048))),
        ("the request is larger than the limit of 2048", None),
        ("string too long: maximum length is 10", None),
    ] {
        assert_eq!(InputLimit::of(text, true), expected, "{text}");
    }
}

#[test]
fn no_text_is_too_odd_to_be_read() {
    for text in [
        "at most ",
        "at most 99999999999999999999999 items",
        "1,1,1",
        "最大",
        "<=",
        "[1,",
        "max 18446744073709551615kb batch",
        ".5",
        "’ 5",
    ] {
        let _ = limit(text);
    }
}
