//! Money, in the words of many: what an answer with them is about, whatever else it says.

mod words;

use self::words::{
    BOUGHT, BUY, CONTRACT, EMPTY, ENDED, ENGLISH, FREE, LIMIT, OTHERS, OWNER, PAYMENT, PURSE, REFILL, REFILLED, SPEED,
    SPEND, UNPAID,
};
use super::PAY;
use crate::row::Row;

pub(super) const ROWS: &[Row] = &[
    Row::phrase("generic/money", ENGLISH, PAY).on(STATUSES),
    Row::phrase("generic/money-abroad", OTHERS, PAY).on(STATUSES),
    // An empty purse; in a 400, where fields may be called so, only somebody's.
    Row::clause("generic/purse", &[PURSE, EMPTY], PAY)
        .unless(FREE)
        .on(&[200, 401, 402, 403, 406, 412, 423, 429, 500, 502, 503]),
    Row::clause("generic/purse", &[PURSE, EMPTY, OWNER], PAY).unless(FREE).on(&[400]),
    Row::clause("generic/payment", &[PAYMENT, UNPAID], PAY).unless(SPEED).on(&[200, 402, 403, 429]),
    Row::clause("generic/payment", &[PAYMENT, UNPAID, OWNER], PAY).unless(SPEED).on(&[400, 401]),
    Row::clause("generic/contract", &[CONTRACT, ENDED], PAY)
        .unless(&["subscription key"])
        .on(&[200, 400, 401, 402, 403, 429]),
    // To ask for money is to be out of it, unless more of it only buys more speed.
    Row::clause("generic/ask", &[REFILL, REFILLED], PAY).unless(SPEED).on(&[200, 400, 401, 402, 403, 429, 500, 503]),
    Row::clause("generic/ask", &[BUY, BOUGHT], PAY).unless(SPEED).on(&[200, 401, 402, 403, 429, 500, 503]),
    Row::clause("generic/ask", &[BUY, BOUGHT, &["to continue", "to your account", "please", "more"]], PAY)
        .unless(SPEED)
        .on(&[400]),
    // Alone, a budget may be one of tokens, and a cost one of queries.
    Row::clause("generic/budget", &[SPEND, LIMIT], PAY)
        .unless(&["token", "thinking", "query", "queries", "rate limit", "per second", "per minute", "complexity"])
        .on(&[200, 402, 403, 429]),
];

/// Not with a 422: that is about the fields of a request.
const STATUSES: &[u16] = &[200, 400, 401, 402, 403, 406, 412, 423, 429, 500, 502, 503];
