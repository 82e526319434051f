use crate::{EmbedRequest, Endpoint};

/// Whom a call has asked, and for what: all that may be said of it, and must not be.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) endpoint: &'a Endpoint,
    /// None where a service failed before there was one.
    pub(crate) request: Option<&'a dyn Said>,
}

/// What a request has said, as far as errors are concerned.
pub(crate) trait Said {
    /// How many answers it asks for.
    fn count(&self) -> usize;

    /// Whether it may have said who asks.
    fn holds_headers(&self) -> bool;

    /// `text` up to where it repeats what was said, and without what nobody else may see.
    fn redact(&self, text: &str) -> String;
}

impl Said for EmbedRequest {
    fn count(&self) -> usize {
        self.len()
    }

    fn holds_headers(&self) -> bool {
        self.own().holds_headers()
    }

    fn redact(&self, text: &str) -> String {
        self.redact(text)
    }
}

impl Asked<'_> {
    /// Whether anything was sent that may say who asks.
    pub(crate) fn holds_key(&self) -> bool {
        let of_request = self.request.is_some_and(Said::holds_headers);
        of_request || self.endpoint.sent.is_some() || self.endpoint.own.holds_headers()
    }

    /// Scheme, host and port of the server.
    pub(crate) fn origin(&self) -> String {
        let Endpoint { uri, .. } = self.endpoint;
        format!("{}://{}", uri.scheme_str().unwrap_or_default(), uri.authority().map_or("", |host| host.as_str()))
    }

    /// `text` without secrets, and cut where it repeats an input.
    pub(crate) fn redact(&self, text: &str) -> String {
        // Longer messages are cut further down anyway.
        let text: String = text.chars().take(MESSAGE).collect();
        self.endpoint.redact(&self.request.map_or(text.clone(), |request| request.redact(&text)))
    }
}

const MESSAGE: usize = 4_096;
