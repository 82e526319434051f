use http::StatusCode;
use trysail_core::{Remedy, Verdict};

/// What a status says by itself; `None` for one that the table does not know.
pub(super) fn verdict(status: StatusCode) -> Option<Verdict> {
    TABLE.iter().find(|(known, _)| *known == status.as_u16()).map(|(_, verdict)| *verdict)
}

/// What an unknown status says by its family.
pub(super) fn unknown(status: StatusCode) -> Verdict {
    if status.is_server_error() { Verdict::TRANSIENT } else { Verdict::PERMANENT }
}

const TABLE: &[(u16, Verdict)] = &[
    // Only a wrong address is answered with a redirect, and nothing here follows one.
    (301, Verdict::PERMANENT),
    (302, Verdict::PERMANENT),
    (303, Verdict::PERMANENT),
    (307, Verdict::PERMANENT),
    (308, Verdict::PERMANENT),
    (400, Verdict::PERMANENT),
    (401, Verdict::AUTH.advise(Remedy::Reauth)),
    (402, Verdict::QUOTA_EXHAUSTED.advise(Remedy::Pay)),
    (403, Verdict::AUTH),
    (404, Verdict::PERMANENT),
    (405, Verdict::PERMANENT),
    (406, Verdict::PERMANENT),
    (407, Verdict::AUTH.neutral()),
    (408, Verdict::TRANSIENT),
    (409, Verdict::TRANSIENT.neutral()),
    (410, Verdict::PERMANENT),
    (411, Verdict::PERMANENT),
    (412, Verdict::PERMANENT),
    (413, Verdict::PERMANENT.advise(Remedy::Split)),
    (414, Verdict::PERMANENT),
    (415, Verdict::PERMANENT),
    (421, Verdict::TRANSIENT.neutral()),
    (422, Verdict::PERMANENT),
    (424, Verdict::TRANSIENT),
    (425, Verdict::TRANSIENT.neutral()),
    (426, Verdict::PERMANENT),
    (429, Verdict::THROTTLED),
    (431, Verdict::PERMANENT),
    (451, Verdict::PERMANENT),
    (499, Verdict::TRANSIENT.neutral()),
    (500, Verdict::TRANSIENT),
    (501, Verdict::PERMANENT.neutral()),
    (502, Verdict::TRANSIENT),
    (503, Verdict::TRANSIENT),
    (504, Verdict::TRANSIENT),
    (505, Verdict::PERMANENT.neutral()),
    (511, Verdict::AUTH.neutral()),
    (520, Verdict::TRANSIENT),
    (521, Verdict::TRANSIENT),
    (522, Verdict::TRANSIENT),
    (523, Verdict::TRANSIENT),
    (524, Verdict::TRANSIENT),
    (525, Verdict::TRANSIENT),
    (526, Verdict::TRANSIENT),
    (529, Verdict::TRANSIENT),
];
