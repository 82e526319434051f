use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, header::DATE};

/// Seconds since 1970 of an HTTP date.
pub(super) fn http_date(value: &str) -> Option<Duration> {
    httpdate::parse_http_date(value).ok()?.duration_since(UNIX_EPOCH).ok()
}

/// Seconds since 1970 of a time in UTC as RFC 3339 writes it, fractions dropped.
pub(super) fn rfc3339(value: &str) -> Option<Duration> {
    let (date, time) = value.strip_suffix(['Z', 'z'])?.split_once(['T', 't'])?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let time = time.split_once('.').map_or(time, |(time, _)| time);
    let mut time = time.splitn(3, ':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let sane = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 61;
    if !sane {
        return None;
    }
    // Days from 1970, in years that begin with March so that the leap day comes last.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = (365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day).checked_sub(719_469)?;
    Some(Duration::from_secs(((days * 24 + hour) * 60 + minute) * 60 + second))
}

/// How long it is until `moment` by the server's own clock, or by ours if it names none.
pub(super) fn until(moment: Duration, headers: &HeaderMap) -> Option<Duration> {
    let now = super::value(headers, DATE.as_str())
        .and_then(http_date)
        .or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).ok())?;
    moment.checked_sub(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_utc_is_seconds_since_1970() {
        let table = [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-29T12:00:00Z", Some(951_825_600)),
            ("2026-11-23T00:00:10.25Z", Some(1_795_392_010)),
            ("2026-11-23T00:00:10+01:00", None),
            ("2026-13-23T00:00:10Z", None),
            ("18446744073709551615-01-01T00:00:00Z", None),
            ("2026-11-23", None),
            ("0000-00-00T00:00:00Z", None),
        ];
        for (value, seconds) in table {
            assert_eq!(rfc3339(value), seconds.map(Duration::from_secs), "{value}");
        }
    }
}
