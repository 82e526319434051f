//! Verdicts of the errors of clients, by their types.

#[cfg(feature = "client")]
mod client;

use std::{
    error::Error,
    io::{self, ErrorKind},
};

use trysail_core::{Retryable, Verdict};

/// What an error means, by the types in its chain and never by its words; transient if none is known.
///
/// ```
/// # use std::io;
/// # use trysail_core::Class;
/// # use trysail_http::transport;
/// let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
/// assert_eq!(transport::verdict(&refused).class(), Class::Transient);
/// ```
pub fn verdict(error: &(dyn Error + 'static)) -> Verdict {
    let typed = chain(error).find_map(|link| JUDGES.iter().find_map(|judge| judge(link)));
    // An error of the system stands at the foot of almost everything, and says least.
    typed.or_else(|| chain(error).find_map(system)).unwrap_or(Verdict::TRANSIENT)
}

/// The verdict of an error while the body was read: by then the request has been sent.
pub(crate) fn of_body(error: &(dyn Error + 'static)) -> Verdict {
    let verdict = verdict(error);
    if verdict.retry() == Retryable::Unsent { Verdict::TRANSIENT } else { verdict }
}

/// `error` and its causes; what an `io::Error` wraps is one of them, which its `source()` skips.
pub(crate) fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |link| {
        let link = *link;
        match link.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => link.source(),
        }
    })
}

fn system(error: &(dyn Error + 'static)) -> Option<Verdict> {
    let kind = error.downcast_ref::<io::Error>()?.kind();
    SYSTEM.iter().find(|(known, _)| *known == kind).map(|(_, verdict)| *verdict)
}

type Judge = fn(&(dyn Error + 'static)) -> Option<Verdict>;

const JUDGES: &[Judge] = &[
    Verdict::of,
    #[cfg(feature = "client")]
    client::verdict,
];

const SYSTEM: &[(ErrorKind, Verdict)] = &[
    (ErrorKind::ConnectionRefused, Verdict::TRANSIENT),
    (ErrorKind::ConnectionReset, Verdict::TRANSIENT),
    (ErrorKind::ConnectionAborted, Verdict::TRANSIENT),
    (ErrorKind::NotConnected, Verdict::TRANSIENT),
    (ErrorKind::BrokenPipe, Verdict::TRANSIENT),
    (ErrorKind::UnexpectedEof, Verdict::TRANSIENT),
    (ErrorKind::TimedOut, Verdict::TRANSIENT),
    (ErrorKind::HostUnreachable, Verdict::TRANSIENT),
    (ErrorKind::NetworkUnreachable, Verdict::TRANSIENT),
    // These are about this machine: no free port, no network, no permission.
    (ErrorKind::AddrNotAvailable, Verdict::TRANSIENT.neutral()),
    (ErrorKind::NetworkDown, Verdict::TRANSIENT.neutral()),
    (ErrorKind::OutOfMemory, Verdict::TRANSIENT.neutral()),
    (ErrorKind::PermissionDenied, Verdict::PERMANENT.neutral()),
    // Whatever answered broke the rules of its framing.
    (ErrorKind::InvalidData, Verdict::MALFORMED),
    (ErrorKind::InvalidInput, Verdict::MALFORMED),
];
