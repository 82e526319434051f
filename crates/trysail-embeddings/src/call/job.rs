use std::ptr;

use http::Uri;

use crate::{
    Endpoint, InvalidEndpoint, InvalidPart,
    api::{Api, Form},
};

/// Where a family of servers does another job than dense vectors, and how it wants to be asked.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) api: &'static Api,
    /// Where its dense vectors are.
    pub(crate) beside: &'static str,
    pub(crate) path: &'static str,
    pub(crate) form: Form,
    /// The field that says how many answers are enough, where there is one.
    pub(crate) top_n: Option<&'static str>,
}

impl Job {
    /// The one of `jobs` that belongs to `endpoint`, and the endpoint that it leads to.
    pub(crate) fn of(
        jobs: &'static [Self],
        mut endpoint: Endpoint,
        what: &str,
    ) -> Result<(&'static Self, Endpoint), InvalidEndpoint> {
        let Some(job) = jobs.iter().find(|job| ptr::eq(job.api, endpoint.api)) else {
            let example = endpoint.api.example;
            return Err(InvalidPart { problem: format!("a server such as {example} has no {what}") }.into());
        };
        let base = endpoint.uri.path();
        let base = base.strip_suffix(job.beside).unwrap_or(base);
        let path = format!("{}{}", base.strip_suffix(job.path).unwrap_or(base), job.path);
        let mut parts = endpoint.uri.clone().into_parts();
        parts.path_and_query = Some(path.try_into().expect("one path was valid, and the other only ends otherwise"));
        endpoint.uri = Uri::from_parts(parts).expect("only the path has changed");
        Ok((job, endpoint))
    }
}
