//! The circuit, as the tables of other breakers, as the whole stack, and as a long life meet it.

mod life;
mod script;
mod stack;
mod tables;
