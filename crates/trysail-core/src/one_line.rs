use alloc::{
    string::{String, ToString},
    vec::Vec,
};
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
        let facts = links.filter(|link| !link.is::<Verdict>() && !link.is::<Judged>());
        let said: Vec<_> = facts.map(ToString::to_string).collect();
        let mut line = String::new();
        for fact in &said {
            // Who quotes the last cause has told the rest as well.
            if said.last().is_some_and(|root| line.contains(root)) {
                break;
            }
            if !line.contains(fact) {
                let joint = if line.is_empty() { "" } else { ": " };
                line.push_str(joint);
                line.push_str(fact);
            }
        }
        f.write_str(&line)
    }
}
