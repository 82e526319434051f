//! A search product's calls to its model servers: dense vectors, sparse vectors and scores, for queries and for ingest.

pub mod by_hand;
pub mod compare;
pub mod demo;
mod limits;
mod routes;
mod search;
mod set;
mod stacks;

pub use self::{
    limits::Limits,
    routes::{App, router},
    search::{Search, Vectors},
    set::{DataSet, Key, Kind, Server},
};
