//! What the errors of tower's own layers mean.

use core::error::Error;

use tower::{
    buffer::error::{Closed, ServiceError},
    load_shed::error::Overloaded,
    timeout::error::Elapsed,
};

use crate::Verdict;

/// The verdict of an error of tower's, by its type.
pub(crate) fn verdict(error: &(dyn Error + 'static)) -> Option<Verdict> {
    // Nothing was sent.
    if error.is::<Overloaded>() || error.is::<Closed>() {
        return Some(Verdict::REFUSED);
    }
    if error.is::<Elapsed>() {
        return Some(Verdict::TRANSIENT);
    }
    // What ended a buffer once is repeated to every later call, and none of them is sent.
    let ended = error.downcast_ref::<ServiceError>()?;
    let why = ended.source().and_then(Verdict::find);
    Some(why.map_or(Verdict::REFUSED, |verdict| verdict.once().neutral()))
}
