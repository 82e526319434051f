//! Fireworks.

use super::{PAY, PERMANENT, WARMING};
use crate::row::Row;

pub(super) const ROWS: &[Row] = &[
    Row::code("fireworks/DEPLOYMENT_SCALING_UP", WARMING),
    Row::phrase("fireworks/suspended", &["is suspended, possibly due to", "monthly spending limit"], PAY),
    Row::phrase("fireworks/not-deployed", &["model not found, inaccessible, and/or not deployed"], PERMANENT),
];
