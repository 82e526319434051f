use tower_service::Service;

/// Asks the compiler whether a stack is a service, so that it says what is missing where it is put together.
///
/// Without it, a stack that lacks something compiles until it is called, and then there is "no method `ready`".
///
/// ```
/// use std::time::Duration;
/// use tower::ServiceBuilder;
/// use trysail::{CheckExt, ClassifyLayer, TimeoutLayer, Verdict};
///
/// # async fn double(n: u32) -> Result<u32, std::fmt::Error> { Ok(2 * n) }
/// let service = ServiceBuilder::new()
///     .layer(TimeoutLayer::new(Duration::from_secs(20)))
///     .layer(ClassifyLayer::new(|outcome: Result<&u32, &std::fmt::Error>| {
///         if outcome.is_ok() { Verdict::SUCCESS } else { Verdict::TRANSIENT }
///     }))
///     .service_fn(double)
///     .checked::<u32>();
/// # let _ = service;
/// ```
pub trait CheckExt: Sized {
    /// Itself, if it is a service for requests of the type `Req`; else a message that says what to write.
    #[must_use]
    fn checked<Req>(self) -> Self
    where
        Self: Service<Req>,
    {
        self
    }
}

impl<S> CheckExt for S {}
