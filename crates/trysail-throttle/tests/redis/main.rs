//! A pace that replicas share, through a real Redis, where there is one.

mod away;
mod keys;
mod learnt;
mod replica;
mod script;
mod server;
mod shared;
mod tasks;
mod tls;
