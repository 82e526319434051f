//! Follows a server that says where it is asked instead, as long as that is the same server.

pub mod future;
mod layer;
mod location;
mod not_followed;
mod service;

pub use self::{layer::RedirectLayer, not_followed::NotFollowed, service::Redirect};
