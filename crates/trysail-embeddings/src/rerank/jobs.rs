//! How servers want to be asked for scores, as a table.

use crate::{
    api::{self, Fixed, Form},
    call::Job,
};

/// They read whatever any of them answers, so what they answer is not in the table.
pub(super) static JOBS: [Job; 4] = [
    Job {
        api: &api::TEI,
        beside: "/embed",
        path: "/rerank",
        form: Form { slot: 21, model: None, inputs: "texts", ..DOCUMENTS },
        top_n: None,
    },
    // As Jina has it, and with it vLLM, Infinity, llama.cpp and LiteLLM.
    Job { api: &api::OPENAI, beside: "/embeddings", path: "/rerank", form: DOCUMENTS, top_n: Some("top_n") },
    Job { api: &api::COHERE, beside: "/v2/embed", path: "/v2/rerank", form: DOCUMENTS, top_n: Some("top_n") },
    Job {
        api: &api::VOYAGE,
        beside: "/embeddings",
        path: "/rerank",
        // Else it cuts what is too long, and says nothing.
        form: Form { slot: 23, fixed: &[("truncation", Fixed::Flag(false))], ..DOCUMENTS },
        top_n: Some("top_k"),
    },
];

const DOCUMENTS: Form =
    Form { slot: 22, model: Some("model"), inputs: "documents", dimensions: "dimensions", fixed: &[] };
