use std::error::Error;

use http::Uri;
use hyper_util::client::legacy::{
    self,
    connect::{HttpConnector, proxy::Tunnel},
};
use rustls::AlertDescription;
use tower_service::Service;
use trysail_core::Verdict;

use crate::client::{BodyError, served::Served};

/// The verdict of an error of hyper, h2 or rustls, as far as its type alone decides.
pub(super) fn verdict(error: &(dyn Error + 'static)) -> Option<Verdict> {
    let client = || error.downcast_ref().and_then(client);
    let http = || error.downcast_ref().and_then(http);
    let http2 = || error.downcast_ref().and_then(http2);
    let tls = || error.downcast_ref().map(tls);
    let tunnel = || error.downcast_ref().map(tunnel);
    let body = || error.downcast_ref().and_then(BodyError::judge);
    client().or_else(http).or_else(http2).or_else(tls).or_else(tunnel).or_else(body)
}

fn client(error: &legacy::Error) -> Option<Verdict> {
    let Some(cause) = error.source() else {
        // Without a cause it is the request that was refused: no absolute address, an unknown version.
        return (!error.is_connect()).then_some(UNUSABLE);
    };
    let cause = cause.downcast_ref::<hyper::Error>()?;
    if cause.is_canceled() {
        return Served::never(error).then(|| Verdict::TRANSIENT.unsent().unhealthy());
    }
    // What has answered before speaks HTTP: it is in trouble, and the address is right.
    (cause.is_parse() && Served::before(error)).then_some(Verdict::TRANSIENT)
}

fn http(error: &hyper::Error) -> Option<Verdict> {
    if error.is_canceled() {
        // hyper cancels only what it can hand back whole, before a byte of it was written.
        return Some(Verdict::TRANSIENT.unsent());
    }
    if error.is_parse() {
        return Some(Verdict::MALFORMED.once().neutral());
    }
    // The request's own body failed, or the runtime went away.
    error.is_user().then_some(UNUSABLE)
}

fn http2(error: &h2::Error) -> Option<Verdict> {
    // Raised by our own h2, it says that the peer floods us.
    if error.is_remote() && error.reason() == Some(h2::Reason::ENHANCE_YOUR_CALM) {
        return Some(Verdict::THROTTLED);
    }
    // h2 reports the peer's GOAWAY only to streams that the peer has not begun with; the others end with the connection.
    let unsent = error.is_remote() && (error.is_go_away() || error.reason() == Some(h2::Reason::REFUSED_STREAM));
    unsent.then(|| Verdict::TRANSIENT.unsent())
}

fn tls(error: &rustls::Error) -> Verdict {
    use rustls::Error::{
        AlertReceived, DecryptError, InvalidCertificate, InvalidMessage, NoCertificatesPresented, PeerIncompatible,
    };
    match error {
        // No certificate of ours will do, theirs does not, or no TLS is spoken there.
        InvalidCertificate(_) | NoCertificatesPresented | PeerIncompatible(_) | InvalidMessage(_) => UNUSABLE,
        AlertReceived(alert) if PASSING.contains(alert) => Verdict::TRANSIENT,
        AlertReceived(_) => UNUSABLE,
        DecryptError => Verdict::TRANSIENT,
        _ => Verdict::TRANSIENT.neutral(),
    }
}

fn tunnel(error: &TunnelError) -> Verdict {
    match error {
        TunnelError::ProxyAuthRequired => Verdict::AUTH.neutral(),
        TunnelError::MissingHost => UNUSABLE,
        _ => Verdict::TRANSIENT,
    }
}

type TunnelError = <Tunnel<HttpConnector> as Service<Uri>>::Error;

const UNUSABLE: Verdict = Verdict::PERMANENT.neutral();
const PASSING: &[AlertDescription] = &[
    AlertDescription::CloseNotify,
    AlertDescription::InternalError,
    AlertDescription::UserCanceled,
    AlertDescription::BadRecordMac,
];
