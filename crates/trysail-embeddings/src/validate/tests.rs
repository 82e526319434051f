use super::*;
use crate::api;

const TWO: Expected = Expected { count: 2, dimensions: None, floats: false };

fn flaw_of(body: &str) -> Flaw {
    decode(body.as_bytes(), &api::OPENAI, TWO).unwrap_err()
}

#[test]
fn vectors_come_in_the_order_of_their_inputs() {
    let body = r#"{"object":"list","data":[
        {"object":"embedding","index":1,"embedding":[0.25,-1e-3]},
        {"object":"embedding","embedding":"AACAPwAAAEA=","index":0}],
        "model":"m","usage":{"prompt_tokens":3,"total_tokens":4}}"#;
    let answer = decode(body.as_bytes(), &api::OPENAI, TWO).unwrap();
    assert_eq!(answer.vectors().collect::<Vec<_>>(), [[1.0, 2.0], [0.25, -0.001]]);
    assert_eq!((answer.len(), answer.dimensions(), answer.model(), answer.tokens()), (2, 2, Some("m"), Some(4)));
}

#[test]
fn without_indices_the_order_is_that_of_the_answer() {
    let answer = decode(br#"{"data":[{"embedding":[1]},{"embedding":[2]}]}"#, &api::OPENAI, TWO).unwrap();
    assert_eq!(answer.vectors().collect::<Vec<_>>(), [[1.0], [2.0]]);
}

#[test]
fn slips_of_the_server_may_be_asked_again() {
    for (body, expected) in [
        (r#"{"data":[{"index":0,"embedding":[1,"#, Flaw::EndsEarly),
        ("", Flaw::EndsEarly),
        (r#"{"data":[{"index":0,"embedding":[NaN]}]}"#, Flaw::NotJson),
        (r#"{"data":[]}"#, Flaw::Count { expected: 2, found: 0 }),
        (r#"{"data":[{"index":0,"embedding":[1]}]}"#, Flaw::Count { expected: 2, found: 1 }),
        (r#"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}"#, Flaw::Index { index: 0 }),
        (r#"{"data":[{"index":1,"embedding":[1]},{"index":2,"embedding":[1]}]}"#, Flaw::Index { index: 2 }),
        (r#"{"data":[{"embedding":[1]},{"embedding":[]}]}"#, Flaw::Empty { index: 1 }),
        (r#"{"data":[{"embedding":[1]},{"embedding":[null]}]}"#, Flaw::NotFinite { index: 1 }),
        (r#"{"data":[{"embedding":[1]},{"embedding":[1e39]}]}"#, Flaw::NotFinite { index: 1 }),
        (r#"{"data":[{"embedding":"AADAfw=="},{"embedding":[1]}]}"#, Flaw::NotFinite { index: 0 }),
        (r#"{"data":[{"embedding":[1]},{"embedding":"AACA"}]}"#, Flaw::Base64 { index: 1 }),
        (r#"{"data":[{"embedding":[1]},{"embedding":"ä"}]}"#, Flaw::Base64 { index: 1 }),
        // Without its padding, with bits where none belong, in pieces, in another alphabet.
        (r#"{"data":[{"embedding":[1]},{"embedding":"AACAPw"}]}"#, Flaw::Base64 { index: 1 }),
        (r#"{"data":[{"embedding":[1]},{"embedding":"AACAPx=="}]}"#, Flaw::Base64 { index: 1 }),
        (r#"{"data":[{"embedding":[1]},{"embedding":"AACA\nPw=="}]}"#, Flaw::Base64 { index: 1 }),
        (r#"{"data":[{"embedding":[1]},{"embedding":"__9_-w=="}]}"#, Flaw::Base64 { index: 1 }),
    ] {
        assert_eq!(flaw_of(body), expected, "{body}");
        assert_eq!(expected.verdict(), Verdict::MALFORMED);
    }
}

#[test]
fn an_index_that_is_none_is_a_slip_as_one_that_is_there_twice() {
    for index in [
        "-1",
        "-0.5",
        "0.5",
        "1.5",
        "1e-3",
        "-1e300",
        r#""""#,
        r#""0""#,
        r#""1""#,
        r#""first""#,
        r#""1.5""#,
        "true",
        "[]",
        "[0]",
        "{}",
        r#"{"a":[1]}"#,
    ] {
        let first = format!(r#"{{"data":[{{"index":{index},"embedding":[1]}},{{"index":1,"embedding":[1]}}]}}"#);
        let last = format!(r#"{{"data":[{{"embedding":[1],"index":0}},{{"embedding":[1],"index":{index}}}]}}"#);
        for (body, item) in [(first, 0), (last, 1)] {
            let flaw = flaw_of(&body);
            assert_eq!((flaw, flaw.rule()), (Flaw::OddIndex { item }, "answer/index"), "{body}");
            assert_eq!(flaw.verdict(), Verdict::MALFORMED);
        }
    }
    for index in ["2", "1e300", "18446744073709551615", "18446744073709551616", "1e15"] {
        let body = format!(r#"{{"data":[{{"index":{index},"embedding":[1]}},{{"index":1,"embedding":[1]}}]}}"#);
        let flaw = flaw_of(&body);
        assert_eq!((flaw.verdict(), flaw.rule()), (Verdict::MALFORMED, "answer/index"), "{body}");
    }
    for (first, second) in [("0", "1"), ("0.0", "1.0"), ("null", "null"), ("-0.0", "1e0")] {
        let body = format!(r#"{{"data":[{{"index":{first},"embedding":[1]}},{{"index":{second},"embedding":[2]}}]}}"#);
        let answer = decode(body.as_bytes(), &api::OPENAI, TWO).unwrap();
        assert_eq!(answer.vectors().collect::<Vec<_>>(), [[1.0], [2.0]], "{body}");
    }
}

#[test]
fn a_wrong_address_or_request_stays_wrong() {
    for (body, expected) in [
        ("<!doctype html><title>Welcome</title>", Flaw::Page),
        ("Ollama is running", Flaw::Page),
        (r#"{"message":"hello"}"#, Flaw::NoVectors),
        ("[]", Flaw::NoVectors),
        (r#"{"data":[{"embedding":{"a":1}}]}"#, Flaw::NoVectors),
        (r#"{"data":[{"embedding":[1]},{"embedding":[1,2]}]}"#, Flaw::Dimensions { expected: 1, found: 2 }),
        (r#"{"data":[{"embedding":[1]},{"embedding":[0,-0.0]}]}"#, Flaw::Zero { index: 1 }),
    ] {
        assert_eq!(flaw_of(body), expected, "{body}");
        assert_eq!(expected.verdict(), Verdict::MALFORMED.once().neutral());
    }
}

#[test]
fn what_was_asked_for_is_checked() {
    let body = br#"{"data":[{"embedding":"AACAPw=="}]}"#;
    let one = Expected { count: 1, dimensions: Some(1), floats: false };
    assert!(decode(body, &api::OPENAI, one).is_ok());
    let two = Expected { dimensions: Some(2), ..one };
    assert_eq!(decode(body, &api::OPENAI, two).unwrap_err(), Flaw::Dimensions { expected: 2, found: 1 });
    assert_eq!(decode(body, &api::OPENAI, Expected { floats: true, ..one }).unwrap_err(), Flaw::NotAsked);
}

#[test]
fn a_long_first_vector_reserves_nothing_for_the_others() {
    let long = "0.5,".repeat(100_000);
    let short = r#"{"embedding":[1]},"#.repeat(2_046);
    let body = format!(r#"{{"data":[{{"embedding":[{long}1]}},{short}{{"embedding":[1]}}]}}"#);
    let expected = Expected { count: 2_048, dimensions: None, floats: false };
    assert_eq!(
        decode(body.as_bytes(), &api::OPENAI, expected).unwrap_err(),
        Flaw::Dimensions { expected: 100_001, found: 1 }
    );
}

#[test]
fn deep_and_odd_json_is_only_malformed() {
    for body in ["[".repeat(100_000), format!("{{\"data\":{}", "[".repeat(100_000))] {
        decode(body.as_bytes(), &api::OPENAI, TWO).unwrap_err();
    }
    decode(br#"{"data":[{"index":18446744073709551615,"embedding":[1]},{"embedding":[1]}]}"#, &api::OPENAI, TWO)
        .unwrap_err();
    decode(b"\xff\xfe", &api::OPENAI, TWO).unwrap_err();
}

#[test]
fn each_api_has_its_shape() {
    let cohere = r#"{"id":"da6e531f-54c5-4a73-bf92-f60566d8d753","embeddings":{"float":[[0.016,-0.008],[0.25,1]]},
        "texts":["fair wind","storm"],"meta":{"api_version":{"version":"2"},"billed_units":{"input_tokens":4},
        "warnings":[]},"response_type":"embeddings_by_type"}"#;
    let ollama = r#"{"model":"all-minilm","embeddings":[[0.016,-0.008],[0.25,1]],"total_duration":14143917,
        "load_duration":1019500,"prompt_eval_count":4}"#;
    let azure = r#"{"object":"list","data":[{"object":"embedding","index":1,"embedding":[0.25,1]},
        {"object":"embedding","index":0,"embedding":[0.016,-0.008]}],"model":"text-embedding-3-small",
        "usage":{"prompt_tokens":4,"total_tokens":4}}"#;
    for (api, body, model, tokens) in [
        (&api::TEI, "[[0.016,-0.008],[0.25,1]]", None, None),
        (&api::OLLAMA, ollama, Some("all-minilm"), Some(4)),
        (&api::COHERE, cohere, None, Some(4)),
        (&api::AZURE, azure, Some("text-embedding-3-small"), Some(4)),
    ] {
        let answer = decode(body.as_bytes(), api, TWO).unwrap();
        assert_eq!(answer.vectors().collect::<Vec<_>>(), [[0.016, -0.008], [0.25, 1.0]], "{body}");
        assert_eq!((answer.model(), answer.tokens()), (model, tokens));

        // Whatever the shape, the answer is held to the same.
        let short = Expected { count: 3, ..TWO };
        assert_eq!(decode(body.as_bytes(), api, short).unwrap_err(), Flaw::Count { expected: 3, found: 2 });
        let long = Expected { dimensions: Some(3), ..TWO };
        assert_eq!(decode(body.as_bytes(), api, long).unwrap_err(), Flaw::Dimensions { expected: 3, found: 2 });
        let flaw = |was, is| decode(body.replace(was, is).as_bytes(), api, TWO).unwrap_err();
        assert_eq!(flaw("0.25,1", "0.25,null"), Flaw::NotFinite { index: 1 });
        assert_eq!(flaw("0.25,1", "0,0"), Flaw::Zero { index: 1 });
        assert_eq!(flaw("0.25,1", ""), Flaw::Empty { index: 1 });
        assert_eq!(decode(&body.as_bytes()[..20], api, TWO).unwrap_err(), Flaw::EndsEarly);
        for other in ["{}", "7", r#"{"error":"no"}"#] {
            let error = decode(other.as_bytes(), api, TWO).unwrap_err();
            assert_eq!(error.verdict(), Verdict::MALFORMED.once().neutral(), "{other}");
        }
    }
}

#[test]
fn a_count_of_tokens_is_never_what_fails_an_answer() {
    for usage in ["null", "7.5", r#""many""#, "[]", r#"{"total_tokens":-1}"#, "{}"] {
        let body = format!(r#"{{"usage":{usage},"data":[{{"embedding":[1]}},{{"embedding":[2]}}]}}"#);
        assert_eq!(decode(body.as_bytes(), &api::OPENAI, TWO).unwrap().tokens(), None, "{usage}");
    }
}
