//! trysail
