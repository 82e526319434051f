//! trysail-http
