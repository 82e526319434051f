//! trysail-testkit
