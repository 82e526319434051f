//! The tests of the whole stack are in `main.rs`.
