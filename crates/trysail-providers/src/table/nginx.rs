//! nginx, HAProxy, Kong and other proxies: statuses of their own.

use super::{AUTH, PERMANENT, REAUTH, TRANSIENT};
use crate::row::Row;

pub(super) const ROWS: &[Row] = &[
    Row::phrase("nginx/plain-to-tls", &["plain http request was sent to https port"], PERMANENT).on(&[400, 497]),
    // Of the caller's own; a proxy may complain of the server's in the same words.
    Row::phrase("nginx/certificate", &["ssl certificate error", "required ssl certificate"], AUTH)
        .on(&[400, 403, 495, 496]),
    Row::phrase("kong/key", &["no api key found in request", "invalid authentication credentials"], REAUTH),
    Row::phrase("kong/peer", &["failure to get a peer"], TRANSIENT),
    Row::status("nginx/444", TRANSIENT),
    Row::status("nginx/494", PERMANENT),
    Row::status("nginx/495", AUTH),
    Row::status("nginx/496", AUTH),
    Row::status("nginx/497", PERMANENT),
];
