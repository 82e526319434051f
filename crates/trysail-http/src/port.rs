use http::Uri;

/// Whether something stands in `uri` where a port does, and is none: `:99999`, `:80x`, `:0`, a bare colon.
///
/// `http` parses such an address, and hyper then takes the default port: another server than was meant.
///
/// ```
/// # use trysail_http::has_broken_port;
/// assert!(has_broken_port(&"http://localhost:99999/v1".parse()?));
/// assert!(!has_broken_port(&"http://[::1]:8080/v1".parse()?));
/// # Ok::<(), http::uri::InvalidUri>(())
/// ```
pub fn has_broken_port(uri: &Uri) -> bool {
    let Some(authority) = uri.authority() else { return false };
    // Neither the colons of a user nor those of an address in brackets.
    let host = authority.as_str().rsplit('@').next().unwrap_or_default();
    let written = host.rsplit(']').next().unwrap_or_default().contains(':');
    written && matches!(authority.port_u16(), None | Some(0))
}
