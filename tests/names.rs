//! What a program sees that imports everything.

#[allow(unused_imports, reason = "it is enough that they do not clash")]
mod glob {
    use trysail::{prelude::*, *};

    #[test]
    fn a_glob_import_leaves_core_and_http_and_std_alone() {
        let limit = core::time::Duration::from_secs(20);
        let request = http::Request::new(bytes::Bytes::new());
        let _ = (std::mem::size_of_val(&request), tower::ServiceBuilder::new(), tokio::time::Instant::now());
        let layer = TimeoutLayer::new(limit);
        let _ = layer.layer(
            RetryLayer::new(Backoff::exponential(limit)).layer(Client::<http_body_util::Full<bytes::Bytes>>::new()),
        );
        let _: Result<(), Failure<bytes::Bytes, std::io::Error>> = Ok(());
        let _: Preset = Preset::default();
    }
}
