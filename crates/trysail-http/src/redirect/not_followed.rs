use std::fmt;

use http::{Response, StatusCode, Uri, header::LOCATION};

use crate::redirect::location::{Shown, resolve, stays};

/// Where an answer points that was not followed, and why not; stands in its extensions.
///
/// `{}` is a clause that goes on after “the server answered 308 and”. Neither a user nor the values of a query are in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotFollowed {
    /// Without what may be secret.
    to: Option<String>,
    reason: Reason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    Status,
    Elsewhere,
    Again,
    TooMany,
    NoLocation,
    Several,
    NoAddress,
}

impl NotFollowed {
    /// What is said of an answer to a request for `asked`, if it points elsewhere, be there a
    /// [`RedirectLayer`](crate::RedirectLayer) or none.
    pub fn of<B>(response: &Response<B>, asked: &Uri) -> Option<Self> {
        let known = response.extensions().get().cloned();
        known.or_else(|| match Self::or_next(response, asked, &[])? {
            Ok(next) => Some(Self::because(Reason::Status, Some(&next))),
            Err(stays) => Some(stays),
        })
    }

    /// Where it points, without user and values of a query; `None` if that is nowhere.
    pub fn to(&self) -> Option<&str> {
        self.to.as_deref()
    }

    /// Whether another server was pointed to, which nothing was sent to.
    pub const fn is_elsewhere(&self) -> bool {
        matches!(self.reason, Reason::Elsewhere)
    }

    /// Where to ask next, after having asked `before` and now `asked`; `None` if `response` is an answer.
    pub(super) fn or_next<B>(response: &Response<B>, asked: &Uri, before: &[Uri]) -> Option<Result<Uri, Self>> {
        let keeps_the_body = match response.status() {
            StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => true,
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND | StatusCode::SEE_OTHER => false,
            _ => return None,
        };
        let mut locations = response.headers().get_all(LOCATION).iter();
        let (location, more) = (locations.next(), locations.next());
        let next = match (location, more) {
            (None, _) => return Some(Err(Self::because(Reason::NoLocation, None))),
            (Some(_), Some(_)) => return Some(Err(Self::because(Reason::Several, None))),
            (Some(location), None) => location.to_str().ok().and_then(|location| resolve(asked, location)),
        };
        let Some(next) = next else { return Some(Err(Self::because(Reason::NoAddress, None))) };
        let reason = if !stays(asked, &next) {
            Reason::Elsewhere
        } else if !keeps_the_body {
            Reason::Status
        } else if next == *asked || before.contains(&next) {
            Reason::Again
        } else if before.len() == MOST {
            Reason::TooMany
        } else {
            return Some(Ok(next));
        };
        Some(Err(Self::because(reason, Some(&next))))
    }

    fn because(reason: Reason, to: Option<&Uri>) -> Self {
        Self { to: to.map(|to| Shown(to).to_string().chars().take(LONGEST).collect()), reason }
    }
}

impl fmt::Display for NotFollowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(to) = &self.to {
            write!(f, "points to {to}")?;
        }
        f.write_str(match self.reason {
            Reason::Status => "",
            Reason::Elsewhere => ", which is another origin, so nothing was sent there",
            Reason::Again => ", where it was asked before: it points in a circle",
            Reason::TooMany => ", after five redirects",
            Reason::NoLocation => "does not say where to ask instead",
            Reason::Several => "points to several places at once",
            Reason::NoAddress => "points to what is no address",
        })
    }
}

const MOST: usize = 5;
const LONGEST: usize = 400;
