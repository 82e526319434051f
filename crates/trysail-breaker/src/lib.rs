//! trysail-breaker
