use serde_json::Value;
use trysail_core::{Remedy, Verdict};

/// The errors of a provider that numbers them in a shape of its own, and says them with any status.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    /// The object in which code and message stand, or the body itself.
    object: Option<&'static str>,
    code: &'static str,
    message: &'static str,
    codes: &'static [(u64, Verdict)],
}

/// A code that was found in the shape of a dialect.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Spoken {
    dialect: &'static Dialect,
    code: u64,
}

impl Spoken {
    /// The dialect that `body` speaks, its code unless that is 0, and its message.
    pub(super) fn of(body: &Value) -> Option<(Self, Option<&str>)> {
        DIALECTS.iter().find_map(|dialect| {
            let fields = dialect.object.map_or(Some(body), |name| body.get(name))?;
            let code = fields.get(dialect.code)?.as_u64().filter(|code| *code != 0)?;
            Some((Self { dialect, code }, fields.get(dialect.message).and_then(Value::as_str)))
        })
    }

    pub(super) fn code(self) -> u64 {
        self.code
    }

    pub(super) fn verdict(self) -> Option<Verdict> {
        self.dialect.codes.iter().find(|(code, _)| *code == self.code).map(|(_, verdict)| *verdict)
    }
}

/// What a 2xx begins with, within its first bytes, if it is an error.
pub(super) const NEEDLES: &[&[u8]] = &[b"\"error\"", b"\"error_code\"", b"\"base_resp\""];

const DIALECTS: &[Dialect] = &[MINIMAX, BAIDU];

const MINIMAX: Dialect = Dialect {
    object: Some("base_resp"),
    code: "status_code",
    message: "status_msg",
    codes: &[
        (1000, Verdict::TRANSIENT),
        (1001, Verdict::TRANSIENT),
        (1002, Verdict::THROTTLED),
        (1004, Verdict::AUTH.advise(Remedy::Reauth)),
        (1008, Verdict::QUOTA_EXHAUSTED.advise(Remedy::Pay)),
        (1013, Verdict::TRANSIENT),
        (1027, Verdict::PERMANENT),
        (1039, Verdict::THROTTLED),
        (2013, Verdict::PERMANENT),
    ],
};

const BAIDU: Dialect = Dialect {
    object: None,
    code: "error_code",
    message: "error_msg",
    codes: &[
        (1, Verdict::TRANSIENT),
        (2, Verdict::TRANSIENT),
        (3, Verdict::PERMANENT),
        (4, Verdict::THROTTLED),
        (6, Verdict::AUTH),
        (17, Verdict::QUOTA_EXHAUSTED),
        (18, Verdict::THROTTLED),
        (19, Verdict::QUOTA_EXHAUSTED),
        (110, Verdict::AUTH.advise(Remedy::Reauth)),
        (111, Verdict::AUTH.advise(Remedy::Reauth)),
        (336_000, Verdict::TRANSIENT),
        (336_003, Verdict::PERMANENT),
        (336_100, Verdict::TRANSIENT),
    ],
};
