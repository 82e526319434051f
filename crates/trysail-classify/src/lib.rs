//! trysail-classify
