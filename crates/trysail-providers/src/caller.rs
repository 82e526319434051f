//! Statuses that speak of the caller.

use trysail_core::{Class, Verdict};

/// Whether a sign that means `verdict` may outrank `status`; `own` if it is a family's own, spelled as that family
/// spells it. A name for the server's trouble is no news about the caller.
pub(super) fn gives_way(status: u16, verdict: Verdict, own: bool) -> bool {
    let trouble = matches!(verdict.class(), Class::Transient | Class::Warming);
    !trouble || (!CREDENTIALS.contains(&status) && (own || !REQUEST.contains(&status)))
}

/// Of who calls, or what is paid: no trouble of the server's gives a credential.
pub(super) const CREDENTIALS: &[u16] = &[401, 402, 403, 407, 511];
/// Of the request: everybody's words for trouble do not mend it, but some families have codes that they send with any
/// of these.
pub(super) const REQUEST: &[u16] = &[400, 404, 405, 406, 410, 411, 412, 413, 414, 415, 416, 417, 422, 426, 431, 451];
