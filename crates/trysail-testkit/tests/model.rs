use serde_json::Value;
use trysail_testkit::Model;

#[test]
fn its_vectors_are_those_of_model2vec() {
    let reference: Vec<Value> = serde_json::from_str(include_str!("data/reference.json")).unwrap();
    assert_eq!(reference.len(), 15);
    for case in reference {
        let text = case["text"].as_str().unwrap();
        let vector = Model::potion().embed(text);
        for (number, wanted) in vector.iter().zip(case["vector"].as_array().unwrap()) {
            let wanted = wanted.as_f64().unwrap() as f32;
            assert!((number - wanted).abs() < 0.005, "{text:?}: {number} is not {wanted}");
        }
    }
}

#[test]
fn vectors_have_length_one_unless_nothing_is_known() {
    let length = |text| Model::potion().embed(text).iter().map(|x| x * x).sum::<f32>().sqrt();
    for text in ["a", "Rust", "東京", "many words in one text, with punctuation"] {
        assert!((length(text) - 1.0).abs() < 1e-5, "{text}");
    }
    for text in ["", " \n", &"x".repeat(101)] {
        assert_eq!(length(text), 0.0, "{text}");
    }
}

#[test]
fn like_texts_have_like_vectors() {
    let model = Model::potion();
    let likeness = |a, b| model.embed(a).iter().zip(model.embed(b)).map(|(a, b)| a * b).sum::<f32>();
    assert!(likeness("a small sailing boat", "the little ship's sails") > likeness("a small sailing boat", "tax law"));
}

#[test]
fn words_are_cut_into_known_pieces() {
    let model = Model::potion();
    for (text, tokens) in [("", 0), ("hello", 1), ("Hello, world!", 4), ("你好", 2), ("trysail", 3), ("[MASK]", 1)] {
        assert_eq!(model.tokens(text), tokens, "{text}");
    }
    assert_eq!(model.ids("Ünïcode"), model.ids("unicode"));
    assert_eq!(model.ids(&"y".repeat(101)), model.ids("[UNK]"));
    assert_ne!(model.ids(&"y".repeat(100)), model.ids("[UNK]"));
}

#[test]
fn tokens_embed_as_their_text_does() {
    let model = Model::potion();
    let text = "the sea is calm tonight";
    assert_eq!(model.embed_ids(&model.ids(text)), Ok(model.embed(text)));
    assert_eq!(model.embed_ids(&[0, 29_528]), Err(29_528));
}
