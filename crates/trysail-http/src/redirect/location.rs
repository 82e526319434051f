use std::fmt::{self, Write};

use http::{Uri, uri::Scheme};

use crate::has_broken_port;

/// Where `location` points from `base`, as section 5.2 of RFC 3986 says; `None` if it is no address.
pub(super) fn resolve(base: &Uri, location: &str) -> Option<Uri> {
    let location = location.split('#').next().unwrap_or_default();
    let (path, query) = location.split_once('?').map_or((location, None), |(path, query)| (path, Some(query)));
    if is_absolute(path) {
        return location.parse().ok().filter(is_usable);
    }
    let scheme = base.scheme_str()?;
    if path.starts_with("//") {
        return format!("{scheme}:{location}").parse().ok().filter(is_usable);
    }
    let query = if path.is_empty() { query.or(base.query()) } else { query };
    let mut whole = match path {
        "" => base.path().to_owned(),
        _ if path.starts_with('/') => without_dots(path),
        _ => without_dots(&format!("{}/{path}", base.path().rsplit_once('/').map_or("", |(folder, _)| folder))),
    };
    if let Some(query) = query {
        whole = format!("{whole}?{query}");
    }
    let authority = base.authority()?.as_str().rsplit('@').next()?;
    Uri::builder().scheme(scheme).authority(authority).path_and_query(whole).build().ok().filter(is_usable)
}

/// Whether what is sent to `from` may be sent to `to` as well.
pub(super) fn stays(from: &Uri, to: &Uri) -> bool {
    let same = |one: Option<&str>, other: Option<&str>| {
        one.zip(other).is_some_and(|(one, other)| one.eq_ignore_ascii_case(other))
    };
    let (before, after) = (port(from), port(to));
    let upgraded = before == (Some(&Scheme::HTTP), 80) && after == (Some(&Scheme::HTTPS), 443);
    same(from.host(), to.host()) && (before == after || upgraded) && !holds_user(to)
}

/// An address as it may be shown: without user and password, and without the values of a query, which may be keys.
pub(super) struct Shown<'a>(pub(super) &'a Uri);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(uri) = self;
        let host = uri.authority().and_then(|authority| authority.as_str().rsplit('@').next());
        write!(f, "{}://{}{}", uri.scheme_str().unwrap_or_default(), host.unwrap_or_default(), uri.path())?;
        for (nth, part) in uri.query().into_iter().flat_map(|query| query.split('&')).enumerate() {
            f.write_char(if nth == 0 { '?' } else { '&' })?;
            match part.split_once('=') {
                Some(("api-version", _)) => f.write_str(part)?,
                Some((name, _)) => write!(f, "{name}=…")?,
                None => f.write_char('…')?,
            }
        }
        Ok(())
    }
}

fn is_absolute(path: &str) -> bool {
    let scheme = path.split_once(':').map_or("", |(scheme, _)| scheme);
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

fn is_usable(uri: &Uri) -> bool {
    matches!(uri.scheme_str(), Some("http" | "https"))
        && uri.host().is_some_and(|host| !host.is_empty())
        && !has_broken_port(uri)
}

fn port(uri: &Uri) -> (Option<&Scheme>, u16) {
    let usual = if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
    (uri.scheme(), uri.port_u16().unwrap_or(usual))
}

fn holds_user(uri: &Uri) -> bool {
    uri.authority().is_some_and(|authority| authority.as_str().contains('@'))
}

/// `path` with its `.` and `..` carried out.
fn without_dots(path: &str) -> String {
    let mut kept = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            ".." => _ = kept.pop(),
            "." => {}
            _ => kept.push(segment),
        }
        if is_last && matches!(segment, "." | "..") {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_resolved_as_the_rfc_says() {
        let base = Uri::from_static("http://a:81/b/c/d?q");
        for (location, address) in [
            ("http://g/h", "http://g/h"),
            ("HTTPS://G/h?x=1#f", "https://g/h?x=1"),
            ("//g:8/h", "http://g:8/h"),
            ("/g", "http://a:81/g"),
            ("/g/", "http://a:81/g/"),
            ("g", "http://a:81/b/c/g"),
            ("g/", "http://a:81/b/c/g/"),
            ("g?y=/../x", "http://a:81/b/c/g?y=/../x"),
            ("?y", "http://a:81/b/c/d?y"),
            ("", "http://a:81/b/c/d?q"),
            ("#s", "http://a:81/b/c/d?q"),
            (".", "http://a:81/b/c/"),
            ("./g", "http://a:81/b/c/g"),
            ("..", "http://a:81/b/"),
            ("../g", "http://a:81/b/g"),
            ("../../../g", "http://a:81/g"),
            ("/./g/../h/.", "http://a:81/h/"),
            ("g;x=1:2", "http://a:81/b/c/g;x=1:2"),
            ("/\\evil.test/", "http://a:81/\\evil.test/"),
        ] {
            let resolved = resolve(&base, location).map(|uri| uri.to_string().to_ascii_lowercase());
            assert_eq!(resolved.as_deref(), Some(address), "{location:?}");
        }
    }

    #[test]
    fn what_is_no_address_of_a_server_is_none() {
        let base = Uri::from_static("http://a/b");
        for location in [
            "http://",
            "http:///h",
            "http:g",
            "//",
            "///h",
            "ftp://a/b",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "http://a:99999/",
            "http://a:/",
            "http://a:0/",
            "http://a b/",
            "/with a space",
            "http://[::1/",
        ] {
            assert_eq!(resolve(&base, location), None, "{location:?}");
        }
    }

    #[test]
    fn an_address_is_shown_without_what_may_be_secret() {
        for (uri, shown) in [
            ("https://user:hunter2@a.test:8/p", "https://a.test:8/p"),
            ("https://a.test/p?api-version=1&sig=hunter2&hunter2", "https://a.test/p?api-version=1&sig=…&…"),
            ("https://a.test/p?token=hunter2=", "https://a.test/p?token=…"),
            ("http://a.test", "http://a.test/"),
        ] {
            assert_eq!(Shown(&uri.parse().expect("an address")).to_string(), shown);
        }
    }
}
