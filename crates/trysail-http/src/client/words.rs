//! What the errors of TLS and the like mean to a person, and what to do about them.

use std::error::Error;

use rustls::{AlertDescription, CertificateError};
use trysail_core::OneLine;

use crate::{
    client::{names::Unresolved, obstacle::Obstacle},
    transport::chain,
};

/// `error` in plain words, followed by its own; only by its own if there are no plainer ones.
pub(crate) fn explain(error: &(dyn Error + 'static)) -> Option<String> {
    let said = |link: &(dyn Error + 'static)| link.is::<Obstacle>() || link.is::<Unresolved>();
    if let Some(link) = chain(error).find(|link| said(*link)) {
        return Some(link.to_string());
    }
    let words = chain(error).find_map(|link| link.downcast_ref().and_then(tls))?;
    Some(format!("{words} ({})", OneLine(error)))
}

fn tls(error: &rustls::Error) -> Option<&'static str> {
    use rustls::Error::{AlertReceived, InvalidCertificate, InvalidMessage, NoCertificatesPresented, PeerIncompatible};
    Some(match error {
        InvalidCertificate(flaw) => certificate(flaw),
        InvalidMessage(_) => "that port does not speak https: write http:// instead of https://, or the port that does",
        NoCertificatesPresented => "the server shows no certificate",
        PeerIncompatible(_) => "the server speaks no TLS that is safe: it needs version 1.2 or 1.3",
        AlertReceived(AlertDescription::CertificateRequired) => "the server wants a certificate of its client's",
        AlertReceived(AlertDescription::UnrecognisedName) => "the server has no certificate for that name",
        AlertReceived(_) => "the server broke off TLS",
        _ => return None,
    })
}

fn certificate(flaw: &CertificateError) -> &'static str {
    use CertificateError::{
        ApplicationVerificationFailure, BadEncoding, BadSignature, Expired, ExpiredContext, InvalidPurpose,
        InvalidPurposeContext, NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext, Other,
        Revoked, UnknownIssuer,
    };
    match flaw {
        Expired | ExpiredContext { .. } => {
            "the server's certificate has expired: it needs a new one, or the clock of this machine is wrong"
        }
        NotValidYet | NotValidYetContext { .. } => {
            "the server's certificate is not valid yet: check the clock of this machine"
        }
        UnknownIssuer => {
            "the server's certificate is by an authority that is not trusted here: trust that one's certificate, by \
             SSL_CERT_FILE or `roots`"
        }
        NotValidForName | NotValidForNameContext { .. } => {
            "the server's certificate is for another name: use a URL with a name that it is for"
        }
        Revoked => "the server's certificate has been revoked: it needs a new one",
        InvalidPurpose | InvalidPurposeContext { .. } => {
            "the server's certificate is not made for servers: it needs one with the purpose serverAuth"
        }
        BadEncoding | BadSignature | ApplicationVerificationFailure => "the server's certificate is not sound",
        // By its name, since its type is that of another crate.
        Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "the server's certificate is that of an authority, and a server needs one of its own: have the authority \
             sign one, or make it anew with basicConstraints=CA:FALSE"
        }
        _ => "the server's certificate is not accepted",
    }
}
