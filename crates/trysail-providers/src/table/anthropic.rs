//! Anthropic.

use super::{PAY, QUOTA, SPLIT, THROTTLED, TRANSIENT};
use crate::row::Row;

pub(super) const ROWS: &[Row] = &[
    Row::code("anthropic/billing_error", PAY),
    Row::code("anthropic/overloaded_error", TRANSIENT),
    Row::code("anthropic/request_too_large", SPLIT),
    Row::phrase("anthropic/credit", &["credit balance is too low"], PAY),
    Row::phrase("anthropic/usage-limits", &["api usage limits", "will regain access on"], QUOTA),
    Row::phrase("anthropic/acceleration", &["exceed your organization's maximum usage increase rate"], THROTTLED),
];
