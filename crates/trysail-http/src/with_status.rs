use http::Response;
use trysail_core::{Classifier, Verdict};

/// A judge of HTTP answers of one's own, a closure say, whose [`Failure`](trysail_core::Failure)s name the status.
///
/// ```
/// # use std::io;
/// # use trysail_core::{Classifier, Verdict};
/// # use trysail_http::WithStatus;
/// let judge = WithStatus(|outcome: Result<&http::Response<()>, &io::Error>| match outcome {
///     Ok(answer) if answer.status().is_server_error() => Verdict::TRANSIENT,
///     Ok(_) => Verdict::SUCCESS,
///     Err(_) => Verdict::TRANSIENT,
/// });
/// let status = Classifier::<_, io::Error>::status(&judge, &http::Response::new(()));
/// assert_eq!(status, Some(200));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct WithStatus<C>(pub C);

impl<C, B, E> Classifier<Response<B>, E> for WithStatus<C>
where
    C: Classifier<Response<B>, E>,
{
    fn classify(&self, outcome: Result<&Response<B>, &E>) -> Verdict {
        self.0.classify(outcome)
    }

    fn status(&self, response: &Response<B>) -> Option<u16> {
        Some(response.status().as_u16())
    }
}
