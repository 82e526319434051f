//! The pages of Cloudflare's edge about the server behind it.

use Class::{Permanent, Throttled, Transient};
use trysail_core::{Class, Health};
use trysail_http::Expected;
use trysail_providers::Providers;

use crate::{answer, fault};

/// A page as long as they are: conditional comments, styles, three columns of status, advice for visitors and owners.
fn page(code: u16, title: &str, happened: &str, visitor: &str, owner: &str) -> String {
    format!(
        r#"<!DOCTYPE html>
<!--[if lt IE 7]> <html class="no-js ie6 oldie" lang="en-US"> <![endif]-->
<!--[if gt IE 8]><!--> <html class="no-js" lang="en-US"> <!--<![endif]-->
<head>
<title>api.example.com | {code}: {title}</title>
<meta charset="UTF-8" />
<meta http-equiv="X-UA-Compatible" content="IE=Edge" />
<meta name="robots" content="noindex, nofollow" />
<link rel="stylesheet" id="cf_styles-css" href="/cdn-cgi/styles/main.css" />
</head>
<body>
<div id="cf-wrapper"><div id="cf-error-details" class="p-0">
<header class="mx-auto pt-10"><h1 class="inline-block"><span class="inline-block">{title}</span>
<span class="code-label">Error code {code}</span></h1>
<div>Visit <a href="https://www.cloudflare.com/5xx-error-landing?utm_source=errorcode_{code}">cloudflare.com</a> for more information.</div>
<div class="mt-3">2026-11-23 00:00:00 UTC</div></header>
<div id="cf-browser-status"><span class="md:block">You</span><h3>Browser</h3><span class="leading-1.3">Working</span></div>
<div id="cf-cloudflare-status"><span class="md:block">Frankfurt</span><h3>Cloudflare</h3><span>Working</span></div>
<div id="cf-host-status"><span class="md:block">api.example.com</span><h3>Host</h3><span>Error</span></div>
<h2>What happened?</h2><p>{happened}</p>
<h2>What can I do?</h2><h3>If you are a visitor of this website:</h3><p>{visitor}</p>
<h3>If you are the owner of this website:</h3><p><span>{owner}</span>
<a rel="noopener noreferrer" href="https://developers.cloudflare.com/support/">Additional troubleshooting information</a>.</p>
<p class="text-13">Cloudflare Ray ID: <strong>8f0000000000abcd</strong> <span>&bull;</span> Your IP:
<button type="button">Click to reveal</button> <span>2001:db8::1</span> <span>&bull;</span> <span>Performance &amp; security by</span> Cloudflare</p>
</div></div><script>(function(){{var a = "rate limit";}})();</script></body></html>"#
    )
}

#[test]
fn a_full_page_about_the_origin_is_transient_by_its_status_and_by_itself() {
    let mut wrong = Vec::new();
    for (code, title, happened, visitor, owner) in PAGES {
        let page = page(*code, title, happened, visitor, owner);
        // Passed on as it is, through a proxy that has a status of its own, and as a success.
        for status in [*code, 500, 502, 503, 400, 403, 404, 200] {
            let mut response = answer(status, &page);
            response.extensions_mut().insert(Expected::vectors(1));
            wrong.extend(
                fault(&response, Transient)
                    .map(|fault| fault[fault.len() - 80..].to_owned() + &format!(" {code} as {status}")),
            );
            assert!(
                status == 404 || Providers.judge(&response).verdict().health() == Health::Failure,
                "{code} {status}"
            );
        }
        let problem = format!(
            r#"{{"title":"Error {code}: {title}","status":{code},"error_code":{code},"cloudflare_error":true}}"#
        );
        for body in ["", "526", "error code: 526", "{}", r#"{"error":"no"}"#, &problem] {
            wrong.extend(fault(&answer(*code, body), Transient));
        }
        wrong.extend(fault(&answer(403, &problem), Transient));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_page_about_the_caller_is_not() {
    let table = [
        (403, page(1020, "Access denied", "You do not have access.", "Contact the owner.", ""), Permanent),
        (403, "<title>Just a moment...</title><p>Enable JavaScript and cookies to continue</p>".to_owned(), Permanent),
        (
            403,
            "<title>Attention Required! | Cloudflare</title><h1>Sorry, you have been blocked</h1>".to_owned(),
            Permanent,
        ),
        (429, "<title>Error 1015</title><p>You are being rate limited</p>".to_owned(), Throttled),
        (400, "<title>400 The SSL certificate error</title><center>nginx</center>".to_owned(), Class::Auth),
        (400, "<title>400 No required SSL certificate was sent</title><center>nginx</center>".to_owned(), Class::Auth),
        (400, r#"{"error":{"message":"Invalid value 526 for 'dimensions'"}}"#.to_owned(), Permanent),
        (400, r#"{"error":{"message":"525: unknown encoding"}}"#.to_owned(), Permanent),
        (404, "<html><title>404 Not Found</title><center>cloudflare</center></html>".to_owned(), Permanent),
        (400, "<html><title>400 Bad Request</title><center>cloudflare</center></html>".to_owned(), Permanent),
    ];
    let wrong =
        table.iter().filter_map(|(status, body, class)| fault(&answer(*status, body), *class)).collect::<Vec<_>>();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const LATER: &str = "Please try again in a few minutes.";

/// Number, title, what happened, and advice for visitors and for owners.
const PAGES: &[(u16, &str, &str, &str, &str)] = &[
    (
        520,
        "Web server is returning an unknown error",
        "There is an unknown connection issue between Cloudflare and the origin web server. As a result, the web page can not be displayed.",
        LATER,
        "There is an issue between Cloudflare's cache and your origin web server. Cloudflare monitors for these errors and automatically investigates the cause.",
    ),
    (
        521,
        "Web server is down",
        "The web server is not returning a connection. As a result, the web page is not displaying.",
        LATER,
        "Contact your hosting provider letting them know your web server is not responding.",
    ),
    (
        522,
        "Connection timed out",
        "The initial connection between Cloudflare's network and the origin web server timed out. As a result, the web page can not be displayed.",
        LATER,
        "Contact your hosting provider letting them know your web server is not completing requests. The likely cause is that something on your server is hogging resources.",
    ),
    (
        523,
        "Origin is unreachable",
        "The origin web server is not reachable.",
        LATER,
        "Check your DNS Settings. A 523 error means that Cloudflare could not reach your host web server.",
    ),
    (
        524,
        "A timeout occurred",
        "The origin web server timed out responding to this request.",
        LATER,
        "The connection to the origin web server was made, but the origin web server timed out before responding. The likely cause is an overloaded background task, database or application. To resolve, please work with your hosting provider or web development team to free up resources for your database or overloaded application.",
    ),
    (
        525,
        "SSL handshake failed",
        "Cloudflare is unable to establish an SSL connection to the origin server.",
        LATER,
        "It appears that the SSL configuration used is not compatible with Cloudflare. This could happen for a several reasons, including no shared cipher suites.",
    ),
    (
        526,
        "Invalid SSL certificate",
        "The origin web server does not have a valid SSL certificate.",
        LATER,
        "The SSL certificate presented by the server did not pass validation. This could indicate an expired SSL certificate or a certificate that does not include the requested domain name. Please contact your hosting provider to ensure that an up-to-date and valid SSL certificate issued by a Certificate Authority is configured for this domain name on the origin server.",
    ),
    (
        527,
        "Railgun Listener to Origin Error",
        "The origin web server timed out responding to Railgun.",
        LATER,
        "Contact your hosting provider for assistance.",
    ),
    (
        530,
        "Origin DNS error",
        "You've requested a page on a website that is on the Cloudflare network. Cloudflare is currently unable to resolve your requested domain.",
        LATER,
        "If you just signed up for Cloudflare it can take a few minutes for the website's information to be distributed to our global network.",
    ),
];
