//! Envoy and what is built on it: short plain text.

use super::{AUTH, REAUTH, THROTTLED, TRANSIENT};
use crate::row::Row;

pub(super) const ROWS: &[Row] = &[
    Row::phrase("envoy/rate-limited", &["local_rate_limited", "global_rate_limited"], THROTTLED),
    Row::phrase(
        "envoy/upstream",
        &["upstream connect error", "no healthy upstream", "upstream request timeout"],
        TRANSIENT,
    ),
    Row::phrase("envoy/rbac", &["rbac: access denied"], AUTH),
    Row::phrase(
        "envoy/jwt",
        &["jwt is missing", "jwt is expired", "jwt verification fails", "jwt issuer is not configured"],
        REAUTH,
    ),
    Row::phrase("envoy/fault", &["fault filter abort"], TRANSIENT),
];
