//! What the program promises, asked of the program itself, over real sockets.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod dialects;
mod ending;
mod files;
mod interruption;
mod lines;
mod pace;
mod redis;
mod resume;
mod spaces;
mod storm;
mod support;
mod third_party;
mod transport;
mod usage;
mod wild;
mod words;
