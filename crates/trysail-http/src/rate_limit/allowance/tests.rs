use http::{HeaderName, HeaderValue};

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

fn read(headers: &[(&'static str, &str)]) -> Allowance {
    let pairs = headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value")));
    allowance(&pairs.collect())
}

fn quota(limit: u64, remaining: u64, window: Duration) -> Quota {
    Quota::new(limit, remaining, window).expect("a quota")
}

type Row = (&'static [(&'static str, &'static str)], Option<Quota>, Option<Quota>);

#[test]
fn what_is_left_is_read_in_the_words_of_each_family() {
    let rows: &[Row] = &[
        // OpenAI
        (
            &[
                ("x-ratelimit-limit-requests", "500"),
                ("x-ratelimit-remaining-requests", "499"),
                ("x-ratelimit-reset-requests", "120ms"),
                ("x-ratelimit-limit-tokens", "200000"),
                ("x-ratelimit-remaining-tokens", "199000"),
                ("x-ratelimit-reset-tokens", "300ms"),
            ],
            Some(quota(500, 499, MINUTE).reset(SECOND * 12 / 100)),
            Some(quota(200_000, 199_000, MINUTE).reset(SECOND * 3 / 10)),
        ),
        // OpenAI, an account with a limit a day: one comes back in 7 min 12 s.
        (
            &[
                ("x-ratelimit-limit-requests", "200"),
                ("x-ratelimit-remaining-requests", "199"),
                ("x-ratelimit-reset-requests", "7m12s"),
            ],
            Some(quota(200, 199, DAY).reset(432 * SECOND)),
            None,
        ),
        // A window of a minute that has just begun is none of hours.
        (
            &[
                ("x-ratelimit-limit-requests", "500"),
                ("x-ratelimit-remaining-requests", "499"),
                ("x-ratelimit-reset-requests", "59s"),
            ],
            Some(quota(500, 499, MINUTE).reset(59 * SECOND)),
            None,
        ),
        // Azure sends no reset.
        (
            &[
                ("x-ratelimit-remaining-requests", "9"),
                ("x-ratelimit-limit-requests", "10"),
                ("x-ratelimit-remaining-tokens", "950"),
                ("x-ratelimit-limit-tokens", "1000"),
            ],
            Some(quota(10, 9, MINUTE)),
            Some(quota(1_000, 950, MINUTE)),
        ),
        // Anthropic
        (
            &[
                ("date", "Mon, 23 Nov 2026 00:00:00 GMT"),
                ("anthropic-ratelimit-requests-limit", "50"),
                ("anthropic-ratelimit-requests-remaining", "49"),
                ("anthropic-ratelimit-requests-reset", "2026-11-23T00:00:01Z"),
                ("anthropic-ratelimit-input-tokens-limit", "40000"),
                ("anthropic-ratelimit-input-tokens-remaining", "39000"),
                ("anthropic-ratelimit-input-tokens-reset", "2026-11-23T00:00:02Z"),
                ("anthropic-ratelimit-output-tokens-limit", "8000"),
                ("anthropic-ratelimit-output-tokens-remaining", "8000"),
            ],
            Some(quota(50, 49, MINUTE).reset(SECOND)),
            Some(quota(40_000, 39_000, MINUTE).reset(2 * SECOND)),
        ),
        // With a window in the name; the shortest sets the pace.
        (
            &[
                ("x-ratelimit-limit-requests-day", "14400"),
                ("x-ratelimit-remaining-requests-day", "14399"),
                ("x-ratelimit-limit-requests-minute", "30"),
                ("x-ratelimit-remaining-requests-minute", "29"),
                ("x-ratelimit-limit-tokens-second", "100"),
                ("x-ratelimit-remaining-tokens-second", "0"),
            ],
            Some(quota(30, 29, MINUTE)),
            Some(quota(100, 0, SECOND)),
        ),
        // IETF
        (
            &[
                ("ratelimit-policy", r#""burst";q=100;w=60,"daily";q=5000;w=86400"#),
                ("ratelimit", r#""burst";r=50;t=30"#),
            ],
            Some(quota(100, 50, MINUTE).reset(30 * SECOND)),
            None,
        ),
        (
            &[("ratelimit-policy", r#""t";q=1000;w=60;qu="tokens""#), ("ratelimit", r#""t";r=10;t=5;qu="tokens""#)],
            None,
            Some(quota(1_000, 10, MINUTE).reset(5 * SECOND)),
        ),
        (
            &[("ratelimit-limit", "10, 10;w=1"), ("ratelimit-remaining", "9"), ("ratelimit-reset", "1")],
            Some(quota(10, 9, SECOND).reset(SECOND)),
            None,
        ),
        // Near misses.
        (
            &[("x-ratelimit-limit", "5000"), ("x-ratelimit-remaining", "4999"), ("x-ratelimit-reset", "1372700873")],
            None,
            None,
        ),
        (&[("x-ratelimit-limit-requests", "500")], None, None),
        (&[("x-ratelimit-limit-requests", "0"), ("x-ratelimit-remaining-requests", "0")], None, None),
        (&[("x-ratelimit-limit-requests", "many"), ("x-ratelimit-remaining-requests", "1")], None, None),
        (&[("x-ratelimit-limit-requests", "5e2"), ("x-ratelimit-remaining-requests", "1")], None, None),
        (&[("x-ratelimit-limit-requests", "-5"), ("x-ratelimit-remaining-requests", "-6")], None, None),
        (&[("x-ratelimit-limit-images", "5"), ("x-ratelimit-remaining-images", "4")], None, None),
        (
            &[("x-ratelimit-limit-requests", "99999999999999999999999"), ("x-ratelimit-remaining-requests", "1")],
            None,
            None,
        ),
        (&[("ratelimit", r#""burst";r=50;t=30"#)], None, None),
        (&[("ratelimit-policy", "nonsense"), ("ratelimit", ";;;=,,")], None, None),
        (&[("ratelimit-policy", r#""b";q=9;w=60;qu="content-bytes""#), ("ratelimit", r#""b";r=5"#)], None, None),
        (&[], None, None),
    ];
    for (headers, requests, cost) in rows {
        assert_eq!(read(headers), Allowance { requests: *requests, cost: *cost }, "{headers:?}");
    }
}

#[test]
fn more_is_left_than_there_is_means_all_of_it() {
    let read = read(&[("x-ratelimit-limit-requests", "10"), ("x-ratelimit-remaining-requests", "12")]);
    assert_eq!(read.requests, Some(quota(10, 10, MINUTE)));
}
