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
        ("", Flaw::Blank),
        (" \n", Flaw::Blank),
        (r#"{"data":[{"index":0,"embedding":[NaN]}]}"#, Flaw::NotJson),
        (r#"{"data":[]}"#, Flaw::Count { expected: 2, found: 0 }),
        (r#"{"data":[{"index":0,"embedding":[1]}]}"#, Flaw::Count { expected: 2, found: 1 }),
        (r#"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}"#, Flaw::Index { index: 0 }),
        (r#"{"data":[{"index":2,"embedding":[1]},{"index":1,"embedding":[1]}]}"#, Flaw::Index { index: 2 }),
        (r#"{"data":[{"embedding":[1]},{"embedding":[]}]}"#, Flaw::Empty { index: 1 }),
        (r#"{"data":[{"embedding":[1]},{"embedding":null}]}"#, Flaw::Empty { index: 1 }),
        (r#"{"data":[{"embedding":[1]},{"embedding":[[]]}]}"#, Flaw::Empty { index: 1 }),
        (r#"{"data":[{"embedding":[1]},null]}"#, Flaw::Empty { index: 1 }),
        (r#"{"data":[{"embedding":[1]},{"index":null}]}"#, Flaw::Empty { index: 1 }),
        (r#"{"data":[{"embedding":[1]},{"embedding":[null]}]}"#, Flaw::NotFinite { index: 1 }),
        (r#"{"data":[{"embedding":[1]},{"embedding":["1"]}]}"#, Flaw::NotFinite { index: 1 }),
        (r#"{"data":[{"embedding":[1]},{"embedding":[true]}]}"#, Flaw::NotFinite { index: 1 }),
        (r#"{"data":[{"embedding":[1]},{"embedding":[{"a":[1]}]}]}"#, Flaw::NotFinite { index: 1 }),
        (r#"{"data":[{"embedding":[1]},{"embedding":[1,[2]]}]}"#, Flaw::NotFinite { index: 1 }),
        (r#"{"data":[{"embedding":[1]},{"embedding":[[1],2]}]}"#, Flaw::NotFinite { index: 1 }),
        (r#"{"data":[{"embedding":[1]},{"embedding":{"a":1}}]}"#, Flaw::NotFinite { index: 1 }),
        (r#"{"data":[{"embedding":[1]},{"embedding":7}]}"#, Flaw::NotFinite { index: 1 }),
        (r#"{"data":[{"embedding":[1]},{"embedding":false}]}"#, Flaw::NotFinite { index: 1 }),
        (r#"{"data":[{"embedding":[1]},-7]}"#, Flaw::NotFinite { index: 1 }),
        (r#"{"data":[{"index":0,"embedding":[1]},{"embedding":[1]}]}"#, Flaw::NoIndex { item: 1 }),
        (r#"{"data":[{"embedding":[1]},{"index":1,"embedding":[1]}]}"#, Flaw::NoIndex { item: 0 }),
        (r#"{"data":[{"embedding":[1]},{"embedding":[2]},{"embedding":"?"}]}"#, Flaw::Count { expected: 2, found: 3 }),
        (
            r#"{"data":[{"embedding":[1]},{"embedding":[2]}],"data":[{"embedding":[3]},{"embedding":[4]}]}"#,
            Flaw::Twice { field: "data" },
        ),
        (r#"{"data":[{"embedding":[1]},{"embedding":[2],"embedding":[3]}]}"#, Flaw::Twice { field: "embedding" }),
        (
            r#"{"data":[{"index":0,"embedding":[1]},{"index":1,"index":0,"embedding":[2]}]}"#,
            Flaw::Twice { field: "index" },
        ),
        (r#"{"data":[{"embedding":[1]},{"embedding":[2]}],"error":{"message":"half of it"}}"#, Flaw::Error),
        (r#"{"errors":["no"],"data":[{"embedding":[1]},{"embedding":[2]}]}"#, Flaw::Error),
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
        assert!(!expected.to_string().contains("URL"), "{expected}");
        assert!(expected.rule() != "answer/index" || expected.to_string().contains("index"), "{expected}");
    }
}

#[test]
fn what_occurs_and_harms_nobody_is_read() {
    let rows = |rows: &str| format!(r#"{{"data":[{{"embedding":{rows}}},{{"embedding":[[0.5,2]]}}]}}"#);
    let plain = r#"{"data":[{"embedding":[0.25,1]},{"embedding":[0.5,2]}]}"#;
    for body in [
        plain.to_owned(),
        format!("\u{feff}{plain}"),
        format!("\u{feff}\n{plain}\n"),
        rows("[0.25,1]"),
        rows("[[0.25,1]]"),
        rows("[[[0.25,1]]]"),
        r#"[{"index":0,"embedding":[[0.25,1]]},{"index":1,"embedding":[[0.5,2]]}]"#.to_owned(),
        r#"[{"index":"1","embedding":[0.5,2]},{"index":"0","embedding":[0.25,1]}]"#.to_owned(),
        plain.replace("{\"data", r#"{"model":7,"usage":"much","error":null,"errors":[ ],"data"#),
        plain.replace("{\"data", r#"{"model":{"name":"m"},"usage":[[1]],"error":"","errors":{ },"data"#),
        plain.replace("{\"data", r#"{"model":null,"usage":{"total_tokens":"7"},"error":false,"model":7,"data"#),
        plain.replace("{\"embedding\"", r#"{"object":"embedding","object":7,"index":null,"embedding""#),
    ] {
        let answer = decode(body.as_bytes(), &api::OPENAI, TWO).unwrap_or_else(|flaw| panic!("{flaw}: {body}"));
        assert_eq!(answer.vectors().collect::<Vec<_>>(), [[0.25, 1.0], [0.5, 2.0]], "{body}");
        assert_eq!((answer.model(), answer.tokens()), (None, None), "{body}");
    }
    for (api, body) in [
        (&api::TEI, "[[[0.25,1]],[[0.5,2]]]"),
        (&api::OLLAMA, r#"{"embeddings":[[[0.25,1]],[0.5,2]]}"#),
        (&api::COHERE, r#"{"embeddings":{"float":[[0.25,1],[0.5,2]]}}"#),
        (&api::COHERE, r#"{"embeddings":[[0.25,1],[0.5,2]]}"#),
    ] {
        let answer = decode(body.as_bytes(), api, TWO).unwrap();
        assert_eq!(answer.vectors().collect::<Vec<_>>(), [[0.25, 1.0], [0.5, 2.0]], "{body}");
    }
}

#[test]
fn every_index_may_be_0_where_one_vector_was_asked_for() {
    let one = Expected { count: 1, ..TWO };
    for index in ["0", "0.0", r#""0""#, "null"] {
        let body = format!(r#"{{"data":[{{"index":{index},"embedding":[1]}}]}}"#);
        assert!(decode(body.as_bytes(), &api::OPENAI, one).is_ok(), "{body}");
    }
}

#[test]
fn an_unreadable_body_is_called_what_it_is() {
    for (body, expected) in [
        (&b"\x1f\x8b\x08\x00\x00"[..], Flaw::Compressed),
        (b"\x28\xb5\x2f\xfd\x04", Flaw::Compressed),
        (b"data: {\"data\":[]}\n\n", Flaw::Stream),
        (b"event: error\ndata: {}\n\n", Flaw::Stream),
        (b"\xff\xfe{\x00\"\x00", Flaw::Binary),
        (b"\x00\x01\x02", Flaw::Binary),
        (b"Ollama is running", Flaw::Text),
        (b"<?xml version=\"1.0\"?><Error/>", Flaw::Text),
        (b"\n<!DOCTYPE html><title>Welcome</title>", Flaw::Page),
        (b"<!-- hello --><HTML>", Flaw::Page),
        (b"\xef\xbb\xbf", Flaw::Blank),
    ] {
        let flaw = decode(body, &api::OPENAI, TWO).unwrap_err();
        assert_eq!(flaw, expected, "{}", body.escape_ascii());
        assert_eq!(flaw.to_string().contains("URL"), flaw == Flaw::Page, "{flaw}");
    }
    let mut response = Response::new(Bytes::from_static(b"\x8b\x00\xff"));
    response.headers_mut().insert("content-encoding", http::HeaderValue::from_static("br"));
    assert_eq!(vectors(&response, &api::OPENAI, TWO).unwrap_err(), Flaw::Compressed);
    let mut response = Response::new(Bytes::from_static(br#"{"data":[{"embedding":[1]},{"embedding":[2]}]}"#));
    assert!(vectors(&response, &api::OPENAI, TWO).is_ok());
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    assert_eq!(vectors(&response, &api::OPENAI, TWO).unwrap_err(), Flaw::Partial);
}

#[test]
fn more_than_was_asked_for_is_counted_and_not_kept() {
    let body = format!(r#"{{"data":[{}[1]]}}"#, "[1],".repeat(1_000_000));
    assert_eq!(flaw_of(&body), Flaw::Count { expected: 2, found: 1_000_001 });
    let answer = shape::read(body.as_bytes(), &api::OPENAI, 2).unwrap();
    assert_eq!((answer.items.unwrap().len(), answer.values.len()), (2, 2));
    let body = format!(r#"{{"data":[[1],[{}[1]]]}}"#, "[1],".repeat(1_000_000));
    let answer = shape::read(body.as_bytes(), &api::OPENAI, 2).unwrap();
    assert_eq!((answer.items.unwrap()[1].vector.clone(), answer.values.len()), (Vector::Rows(1_000_001), 2));
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
        r#""first""#,
        r#""1.5""#,
        r#""-1""#,
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
        ("Ollama is running", Flaw::Text),
        (r#"{"message":"hello"}"#, Flaw::NoVectors),
        ("[]", Flaw::NoVectors),
        (r#"{"data":[{"index":1,"embedding":[1]},{"index":2,"embedding":[1]}]}"#, Flaw::FromOne),
        (r#"{"data":null}"#, Flaw::NoVectors),
        (r#"{"data":{}}"#, Flaw::NoVectors),
        (r#"{"data":"none"}"#, Flaw::NoVectors),
        (r#"{"object":"list","data":[{"id":"m","object":"model"},{"id":"n","object":"model"}]}"#, Flaw::NoVectors),
        (r#"{"data":[{"embedding":[[1],[2]]},{"embedding":[[1]]}]}"#, Flaw::Rows { index: 0, rows: 2 }),
        (r#"{"data":[{"embedding":[1]},{"embedding":[[[1],[2],[3]]]}]}"#, Flaw::Rows { index: 1, rows: 3 }),
        (r#"{"data":[{"embedding":[1]},{"embedding":[1,2]}]}"#, Flaw::Length { index: 1, expected: 1, found: 2 }),
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
    assert_eq!(decode(body, &api::OPENAI, two).unwrap_err(), Flaw::Length { index: 0, expected: 2, found: 1 });
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
        Flaw::Length { index: 1, expected: 100_001, found: 1 }
    );
    let answer = shape::read(body.as_bytes(), &api::OPENAI, expected.count).unwrap();
    assert!(answer.values.capacity() < 2 * answer.values.len(), "{}", answer.values.capacity());
}

#[test]
fn vectors_that_are_alike_have_room_from_the_first_on() {
    let others = r#"{"embedding":[0.25,-0.5,1]},"#.repeat(99);
    let body = format!(r#"{{"data":[{others}{{"embedding":[0.125,-0.0625,1]}}],"model":"m"}}"#);
    let answer = shape::read(body.as_bytes(), &api::OPENAI, 100).unwrap();
    assert_eq!((answer.values.len(), answer.values.capacity()), (300, 300));
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
        assert_eq!(decode(body.as_bytes(), api, long).unwrap_err(), Flaw::Length { index: 0, expected: 3, found: 2 });
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
