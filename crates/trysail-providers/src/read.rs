use http::{Extensions, HeaderMap, Response, StatusCode};

/// What a judge reads of an answer.
#[derive(Clone, Copy)]
pub(crate) struct Read<'a> {
    pub(crate) status: StatusCode,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) extensions: &'a Extensions,
    pub(crate) body: &'a [u8],
}

impl<'a> Read<'a> {
    /// `response` with what is known of its body.
    pub(crate) fn of<B>(response: &'a Response<B>, body: &'a [u8]) -> Self {
        Self { status: response.status(), headers: response.headers(), extensions: response.extensions(), body }
    }
}
