//! Periods that make a throttle a quota.

use super::QUOTA;
use crate::row::Row;

pub(super) const ROWS: &[Row] = &[
    Row::window(
        "window/day",
        &[
            "per day",
            "per-day",
            "perday",
            "/day",
            "/ day",
            "daily",
            "byday",
            "per 86400s",
            "(rpd)",
            "(tpd)",
            "_rpd",
            "_tpd",
            "per 24 hours",
        ],
        QUOTA,
    ),
    Row::window("window/week", &["per week", "weekly", "/week", "/ week"], QUOTA),
    Row::window("window/month", &["per month", "per-month", "permonth", "/month", "/ month", "monthly"], QUOTA),
];
