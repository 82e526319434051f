use tower_layer::Layer;

use crate::redirect::Redirect;

/// Follows a 307 or 308 that stays with its server, body and all.
///
/// That is the same scheme, host and port, or `https` on port 443 of a host that was asked by `http` on port 80. Five in
/// a row are followed, and none to where the call has been. Whatever points elsewhere is handed on, and nothing is sent
/// there; so is a 301, 302 or 303, after which a POST would become a GET. Such an answer has a
/// [`NotFollowed`](crate::NotFollowed) in its extensions.
///
/// Put it right above a client of your own, for all of it is one attempt; the ready-made `Client` does this by itself.
/// Readiness is the service's own, and that of the copy that is asked next is waited for.
///
/// # Examples
///
/// ```
/// use tower_layer::Layer;
/// use trysail_http::RedirectLayer;
///
/// let client = RedirectLayer::new().layer("a client of your own");
/// # let _ = client;
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct RedirectLayer(());

impl RedirectLayer {
    /// The layer.
    pub const fn new() -> Self {
        Self(())
    }
}

impl<S> Layer<S> for RedirectLayer {
    type Service = Redirect<S>;

    fn layer(&self, inner: S) -> Redirect<S> {
        Redirect::new(inner)
    }
}
