use super::*;

#[test]
fn each_shape_has_its_vectors() {
    let shapes = [
        r#"{"data":[{"index":1,"embedding":[1,2]},{"index":0,"embedding":[2,1]}]}"#,
        r#"{"data":[{"embedding":[1,2]},{"embedding":[2,1]}]}"#,
        r#"{"data":[{"embedding":"AACAPwAAAEA="},{"embedding":[2,1]}]}"#,
        r#"[[1,2],[2,1]]"#,
        "\u{feff}[[1,2],[2,1]]",
        r#"{"data":[{"embedding":[1,2]},{"embedding":[2,1]}],"error":null,"errors":[]}"#,
        r#"[[[1,2],[3,4]],[[2,1]]]"#,
        r#"[{"index":0,"embedding":[[1,2]]},{"index":1,"embedding":[[2,1]]}]"#,
        r#"{"embeddings":[[1,2],[2,1]]}"#,
        r#"{"embeddings":{"float":[[1,2],[2,1]],"int8":null}}"#,
        r#"{"embeddings":{"int8":[[1,-2],[2,1]]}}"#,
        r#"{"embeddings":[{"values":[1,2]},{"values":[2,1]}]}"#,
        r#"{"predictions":[{"embeddings":{"statistics":{},"values":[1,2]}},{"embeddings":{"values":[2,1]}}]}"#,
        r#"{"predictions":[[1,2],[2,1]]}"#,
        r#"{"result":{"shape":[2,2],"data":[[1,2],[2,1]]},"success":true,"errors":[]}"#,
        r#"{"output":{"embeddings":[{"text_index":0,"embedding":[1,2]},{"text_index":1,"embedding":[2,1]}]}}"#,
        r#"{"vectors":[[1,2],[2,1]],"base_resp":{"status_code":0}}"#,
    ];
    for shape in shapes {
        assert_eq!(check(shape.as_bytes(), Expected::vectors(2).dimension(2)), Ok(()), "{shape}");
        assert_eq!(check(shape.as_bytes(), Expected::vectors(3)), Err(Flaw::Count), "{shape}");
    }
    for single in
        [r#"{"embedding":[1,2]}"#, r#"{"embedding":{"values":[1,2]}}"#, "[1,2]", r#"{"embedding":"AACAPwAAAEA="}"#]
    {
        assert_eq!(check(single.as_bytes(), Expected::vectors(1).dimension(2)), Ok(()), "{single}");
    }
}

#[test]
fn each_flaw_is_found() {
    let data = |vector: &str| format!(r#"{{"data":[{{"index":0,"embedding":{vector}}}]}}"#);
    let table = [
        (String::new(), Flaw::Empty),
        ("null".to_owned(), Flaw::Empty),
        ("{}".to_owned(), Flaw::Empty),
        (data("[1,2")[..36].to_owned(), Flaw::EndsEarly),
        (data("[1,NaN]"), Flaw::NotJson),
        (data("[1,1e999]"), Flaw::NotJson),
        (data("[1,2]") + "x", Flaw::NotJson),
        ("<html></html>".to_owned(), Flaw::Page),
        ("Ollama is running".to_owned(), Flaw::Text),
        ("data: {}\n\n".to_owned(), Flaw::Stream),
        (r#"{"message":"Welcome"}"#.to_owned(), Flaw::NoVectors),
        ("7".to_owned(), Flaw::NoVectors),
        (r#"{"data":null}"#.to_owned(), Flaw::Count),
        (r#"{"data":[{"index":3,"embedding":[1,2]}]}"#.to_owned(), Flaw::Index),
        (r#"{"data":[{"index":-1,"embedding":[1,2]}]}"#.to_owned(), Flaw::Index),
        (r#"{"data":[{"index":"1","embedding":[1,2]}]}"#.to_owned(), Flaw::Index),
        (r#"{"data":[{"index":0,"index":0,"embedding":[1,2]}]}"#.to_owned(), Flaw::Twice),
        (r#"{"data":[{"embedding":[1,2]}],"data":[{"embedding":[2,1]}]}"#.to_owned(), Flaw::Twice),
        (r#"{"data":[{"embedding":[1,2]}],"error":{"message":"half of it"}}"#.to_owned(), Flaw::Error),
        (r#"{"data":[{"embedding":[1,2]}],"errors":[7]}"#.to_owned(), Flaw::Error),
        ("<?xml version='1.0'?><Error/>".to_owned(), Flaw::Text),
        ("\u{1f}\u{0}".to_owned(), Flaw::Binary),
        (data("[]"), Flaw::EmptyVector),
        (data("null"), Flaw::EmptyVector),
        (data("[1,null]"), Flaw::NotFinite),
        (data("[1,1e39]"), Flaw::NotFinite),
        (data("[1,2,3]"), Flaw::Dimension),
        (data("[0,-0.0]"), Flaw::Zero),
        (data(r#""AACAPwAAAEA=""#), Flaw::Base64),
    ];
    for (body, flaw) in table {
        let expected = Expected::vectors(1).dimension(2).encoding(Encoding::Float);
        assert_eq!(check(body.as_bytes(), expected), Err(flaw), "{body}");
    }
    let base64 = Expected::vectors(1).encoding(Encoding::Base64);
    for (vector, flaw) in [
        (r#""AACAPwAAAE""#, Flaw::BrokenBase64),
        (r#""AACAPwAA""#, Flaw::BrokenBase64),
        (r#""""#, Flaw::EmptyVector),
        (r#""AADAf83MzD0=""#, Flaw::NotFinite),
        (r#""AAAAAAAAAAA=""#, Flaw::Zero),
    ] {
        assert_eq!(check(data(vector).as_bytes(), base64), Err(flaw), "{vector}");
    }
    assert_eq!(check(b"[[1,2],[1,2,3]]", Expected::vectors(2)), Err(Flaw::Dimension));
    assert_eq!(check(b"[[1,2],null]", Expected::vectors(2)), Err(Flaw::EmptyVector));
}

#[test]
fn an_index_that_is_none_is_a_slip_as_one_that_is_there_twice() {
    for index in [
        "-1",
        "-0.5",
        "0.5",
        "1.5",
        "1e-3",
        "2",
        "1e300",
        "18446744073709551616",
        r#""""#,
        r#""first""#,
        r#""1.5""#,
        "true",
        "[]",
        "[0]",
        "{}",
    ] {
        for name in ["index", "text_index"] {
            let body = format!(r#"{{"data":[{{"{name}":{index},"embedding":[1]}},{{"{name}":1,"embedding":[1]}}]}}"#);
            assert_eq!(check(body.as_bytes(), Expected::vectors(2)), Err(Flaw::Index), "{body}");
        }
    }
    for (first, second) in [("0", "1"), (r#""0""#, r#""1""#), ("1.0", "0.0"), ("null", "null"), ("-0.0", "1e0")] {
        let body = format!(r#"{{"data":[{{"index":{first},"embedding":[1]}},{{"index":{second},"embedding":[2]}}]}}"#);
        assert_eq!(check(body.as_bytes(), Expected::vectors(2)), Ok(()), "{body}");
    }
}

#[test]
fn of_more_than_was_expected_no_more_is_kept() {
    let tiny = "[1],".repeat(100_000);
    let nulls = "null,".repeat(100_000);
    let rows = format!(r#"{{"data":[{{"embedding":[{tiny}[1]]}}]}}"#);
    for body in [format!(r#"{{"data":[{tiny}[1]]}}"#), format!("[{tiny}[1]]"), format!("[{nulls}null]")] {
        assert_eq!(check(body.as_bytes(), Expected::vectors(2)), Err(Flaw::Count));
    }
    let mut json = serde_json::Deserializer::from_str(&rows);
    let Node::Fields(fields) = (NodeSeed { most: 3 }).deserialize(&mut json).expect("it is JSON") else {
        panic!("{rows}")
    };
    assert_eq!(format!("{fields:?}").matches("Numbers").count(), 2, "the first row, and what it holds");
}
