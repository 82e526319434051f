//! trysail-timeout
