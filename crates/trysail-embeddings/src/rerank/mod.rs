//! Scores of texts: how well each answers a query.

mod answer;
mod jobs;
mod request;
mod service;

pub use self::{
    answer::{Ranked, RerankResponse},
    request::RerankRequest,
    service::Rerank,
};
