//! What a status says by itself.

use trysail_core::{Remedy, Verdict};

/// The status, the name of its rule, and what it means.
pub(super) const ROWS: &[(u16, &str, Verdict)] = &[
    // Those that can be followed have been; the others say that the address is wrong.
    (301, "status/301", PERMANENT),
    (302, "status/302", PERMANENT),
    (303, "status/303", PERMANENT),
    (307, "status/307", PERMANENT),
    (308, "status/308", PERMANENT),
    (400, "status/400", PERMANENT),
    (401, "status/401", REAUTH),
    (402, "status/402", PAY),
    (403, "status/403", AUTH),
    (404, "status/404", PERMANENT),
    (405, "status/405", PERMANENT),
    (406, "status/406", PERMANENT),
    (407, "status/407", AUTH.neutral()),
    (408, "status/408", TRANSIENT),
    (409, "status/409", TRANSIENT.neutral()),
    (410, "status/410", PERMANENT),
    (411, "status/411", PERMANENT),
    (412, "status/412", PERMANENT),
    (413, "status/413", SPLIT),
    (414, "status/414", PERMANENT),
    (415, "status/415", PERMANENT),
    (420, "status/420", THROTTLED),
    (421, "status/421", TRANSIENT.neutral()),
    (422, "status/422", PERMANENT),
    (424, "status/424", TRANSIENT),
    (425, "status/425", TRANSIENT.neutral()),
    (426, "status/426", PERMANENT),
    (429, "status/429", THROTTLED),
    (431, "status/431", PERMANENT),
    (451, "status/451", PERMANENT),
    (499, "status/499", TRANSIENT.neutral()),
    (500, "status/500", TRANSIENT),
    (501, "status/501", PERMANENT.neutral()),
    (502, "status/502", TRANSIENT),
    (503, "status/503", TRANSIENT),
    (504, "status/504", TRANSIENT),
    (505, "status/505", PERMANENT.neutral()),
    (511, "status/511", AUTH.neutral()),
    (529, "status/529", TRANSIENT),
];

/// What those say that are not listed, by their first digit, from the highest on.
pub(super) const FAMILIES: &[(u16, &str, Verdict)] = &[
    (500, "status/5xx", TRANSIENT),
    (400, "status/4xx", PERMANENT),
    (300, "status/3xx", PERMANENT),
    (200, "success", Verdict::SUCCESS),
    (100, "status/1xx", PERMANENT),
];

const TRANSIENT: Verdict = Verdict::TRANSIENT;
const THROTTLED: Verdict = Verdict::THROTTLED;
const PAY: Verdict = Verdict::QUOTA_EXHAUSTED.advise(Remedy::Pay);
const AUTH: Verdict = Verdict::AUTH;
const REAUTH: Verdict = Verdict::AUTH.advise(Remedy::Reauth);
const PERMANENT: Verdict = Verdict::PERMANENT;
const SPLIT: Verdict = Verdict::PERMANENT.advise(Remedy::Split);
