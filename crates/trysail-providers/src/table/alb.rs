//! Load balancers and API gateways of AWS.

use super::{AUTH, PERMANENT, QUOTA, REAUTH, TRANSIENT};
use crate::row::Row;

pub(super) const ROWS: &[Row] = &[
    // The usage plan of an API gateway, which counts by day, week or month.
    Row::code("aws-gateway/LimitExceededException", QUOTA),
    Row::phrase("aws-gateway/usage-plan", &["^limit exceeded"], QUOTA).on(&[429]),
    Row::phrase("aws-gateway/route", &["missing authentication token"], AUTH),
    Row::status("aws-alb/460", TRANSIENT.neutral()),
    Row::status("aws-alb/463", PERMANENT),
    Row::status("aws-alb/464", PERMANENT),
    Row::status("aws-alb/561", REAUTH),
];
