//! trysail-embeddings
