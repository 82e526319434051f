//! NVIDIA NIM (problem details) and Triton below it.

use super::{AUTH, PAY, PERMANENT, REAUTH, TRANSIENT, TRUNCATE};
use crate::row::Row;

pub(super) const ROWS: &[Row] = &[
    Row::phrase("nvidia/credits", &["cloud credits expired", "credits expired"], PAY),
    Row::phrase("nvidia/authorization", &["authorization failed"], REAUTH),
    Row::phrase("nvidia/account", &["not found for account"], PERMANENT),
    Row::phrase("nvidia/not-entitled", &["not entitled"], AUTH),
    Row::phrase("nvidia/length", &["exceeds maximum allowed token size"], TRUNCATE),
    Row::phrase(
        "nvidia/queue",
        &["worker local total request limit", "exceeds maximum queue size", "failed to enqueue"],
        TRANSIENT,
    ),
    Row::phrase("nvidia/input-type", &["'input_type' parameter is required"], PERMANENT),
];
