use super::*;

const TWO: Expected = Expected { count: 2, dimensions: None, floats: false };

fn flaw_of(body: &str) -> Flaw {
    decode(body.as_bytes(), TWO).unwrap_err()
}

#[test]
fn vectors_come_in_the_order_of_their_inputs() {
    let body = r#"{"object":"list","data":[
        {"object":"embedding","index":1,"embedding":[0.25,-1e-3]},
        {"object":"embedding","embedding":"AACAPwAAAEA=","index":0}],
        "model":"m","usage":{"prompt_tokens":3,"total_tokens":4}}"#;
    let answer = decode(body.as_bytes(), TWO).unwrap();
    assert_eq!(answer.vectors().collect::<Vec<_>>(), [[1.0, 2.0], [0.25, -0.001]]);
    assert_eq!((answer.len(), answer.dimensions(), answer.model(), answer.tokens()), (2, 2, Some("m"), Some(4)));
}

#[test]
fn without_indices_the_order_is_that_of_the_answer() {
    let answer = decode(br#"{"data":[{"embedding":[1]},{"embedding":[2]}]}"#, TWO).unwrap();
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
    ] {
        assert_eq!(flaw_of(body), expected, "{body}");
        assert_eq!(expected.verdict(), Verdict::MALFORMED);
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
    assert!(decode(body, one).is_ok());
    let two = Expected { dimensions: Some(2), ..one };
    assert_eq!(decode(body, two).unwrap_err(), Flaw::Dimensions { expected: 2, found: 1 });
    assert_eq!(decode(body, Expected { floats: true, ..one }).unwrap_err(), Flaw::NotAsked);
}

#[test]
fn a_long_first_vector_reserves_nothing_for_the_others() {
    let long = "0.5,".repeat(100_000);
    let short = r#"{"embedding":[1]},"#.repeat(2_046);
    let body = format!(r#"{{"data":[{{"embedding":[{long}1]}},{short}{{"embedding":[1]}}]}}"#);
    let expected = Expected { count: 2_048, dimensions: None, floats: false };
    assert_eq!(decode(body.as_bytes(), expected).unwrap_err(), Flaw::Dimensions { expected: 100_001, found: 1 });
}

#[test]
fn deep_and_odd_json_is_only_malformed() {
    for body in ["[".repeat(100_000), format!("{{\"data\":{}", "[".repeat(100_000))] {
        decode(body.as_bytes(), TWO).unwrap_err();
    }
    decode(br#"{"data":[{"index":18446744073709551615,"embedding":[1]},{"embedding":[1]}]}"#, TWO).unwrap_err();
    decode(b"\xff\xfe", TWO).unwrap_err();
}
