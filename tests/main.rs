//! The stack, tested as its users meet it.
