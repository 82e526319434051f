//! Scores of texts: how well each answers a query.

mod answer;
mod request;
mod routes;
mod service;

pub use self::{
    answer::{Rank, RerankResponse},
    request::RerankRequest,
    service::Rerank,
};
