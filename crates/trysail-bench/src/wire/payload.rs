use bytes::Bytes;

use crate::answer;

/// An answer to ask for.
pub(crate) struct Payload {
    pub(crate) name: &'static str,
    /// Where the server has it.
    pub(crate) path: &'static str,
    inputs: usize,
    answer: fn(usize) -> Bytes,
}

impl Payload {
    pub(crate) fn question(&self) -> Bytes {
        let inputs = vec![format!("\"{TEXT}\""); self.inputs].join(",");
        format!(r#"{{"model":"m","input":[{inputs}],"encoding_format":"base64"}}"#).into()
    }

    pub(crate) fn answer(&self) -> Bytes {
        (self.answer)(self.inputs)
    }
}

/// From the smallest answer, where the stack weighs most, to a large one.
pub(crate) const ALL: &[Payload] = &[
    Payload { name: "a tiny answer", path: "/tiny/embeddings", inputs: 1, answer: |_| Bytes::from_static(TINY) },
    Payload { name: "1 vector as base64", path: "/one/embeddings", inputs: 1, answer: answer::base64 },
    Payload { name: "64 vectors as base64", path: "/many/embeddings", inputs: 64, answer: answer::base64 },
    Payload { name: "64 vectors as numbers", path: "/floats/embeddings", inputs: 64, answer: answer::floats },
];

const TEXT: &str = "Keep her head to the sea, and as much sail as she will carry: the wind has backed since noon.";
const TINY: &[u8] = br#"{"data":[{"index":0,"embedding":[0.25]}],"model":"m"}"#;
