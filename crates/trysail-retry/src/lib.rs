//! trysail-retry
