use alloc::string::{String, ToString};
use core::{error::Error, fmt, iter::successors};

use crate::{Judged, Verdict};

/// An error and its causes in one line, what happened and why.
///
/// Each fact stands there once: a cause that was quoted already is left out, and so are bare judgements.
///
/// ```
/// # use std::io;
/// # use trysail_core::{Failure, OneLine, Verdict};
/// let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
/// let failure: Failure<(), io::Error> = Failure::unanswered(Verdict::TRANSIENT, refused);
/// assert_eq!(OneLine(&failure).to_string(), "the call failed: connection refused");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OneLine<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let links = successors(Some(self.0), |link| (*link).source());
        let mut line = String::new();
        for link in links.filter(|link| !link.is::<Verdict>() && !link.is::<Judged>()) {
            let said = link.to_string();
            if line.contains(&said) {
                continue;
            }
            if !line.is_empty() {
                line.push_str(": ");
            }
            line.push_str(&said);
        }
        f.write_str(&line)
    }
}
