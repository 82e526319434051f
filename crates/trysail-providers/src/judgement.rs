use http::{Response, StatusCode};
use trysail_core::{Class, Remedy, Verdict};
use trysail_http::{ByStatus, CollectedBody, Expected, heed};

use crate::{
    Complaint, InputLimit, Provider,
    answer::{self as vectors, Flaw},
    caller, complaint, excerpt,
    read::Read,
    row::{Row, Sign, same},
    table::{self, Rank},
};

/// A verdict, and the evidence for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    verdict: Verdict,
    rule: &'static str,
    complaint: Option<Complaint>,
    limit: Option<InputLimit>,
    excerpt: Option<String>,
}

impl Judgement {
    pub(super) fn of(answer: Read<'_>, only: Option<Provider>) -> Self {
        let Decision { verdict, rule, complaint, limit } = decide(answer, only);
        let said =
            complaint.as_ref().and_then(|complaint| complaint.message().or(complaint.code()).or(complaint.kind()));
        let excerpt = said.map(excerpt);
        Self { verdict, rule, complaint, limit, excerpt }
    }

    /// The verdict.
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The rule that decided: `openai/insufficient_quota`, `status/503`, `answer/count`, `success`.
    pub const fn rule(&self) -> &'static str {
        self.rule
    }

    /// What the answer says of its error, unmasked.
    pub const fn complaint(&self) -> Option<&Complaint> {
        self.complaint.as_ref()
    }

    /// How much the server takes at once, if it refused more and said so; then the verdict advises
    /// [to split](Remedy::Split), whatever the status.
    pub const fn limit(&self) -> Option<InputLimit> {
        self.limit
    }

    /// At most 200 characters of what the answer says of its error, with what looks like a key masked.
    pub fn excerpt(&self) -> Option<&str> {
        self.excerpt.as_deref()
    }
}

/// The verdict alone.
pub(super) fn of_response<B: CollectedBody>(response: &Response<B>, only: Option<Provider>) -> Verdict {
    match response.body().as_collected() {
        Some(body) => decide(Read::of(response, body), only).verdict,
        // Whoever reads the stream finds out what it holds.
        None if response.status().is_success() => Verdict::SUCCESS,
        None => decide(Read::of(response, &[]), only).verdict,
    }
}

struct Decision {
    verdict: Verdict,
    rule: &'static str,
    complaint: Option<Complaint>,
    limit: Option<InputLimit>,
}

fn decide(answer: Read<'_>, only: Option<Provider>) -> Decision {
    if answer.status.is_success() { decide_success(answer, only) } else { decide_failure(answer, only) }
}

fn decide_success(answer: Read<'_>, only: Option<Provider>) -> Decision {
    const SUCCESS: Decision = Decision { verdict: Verdict::SUCCESS, rule: "success", complaint: None, limit: None };
    let (flaw, complaint) = match answer.extensions.get::<Expected>() {
        Some(expected) => match vectors::check(answer.body, *expected) {
            Ok(()) if answer.status == StatusCode::PARTIAL_CONTENT => (Flaw::Partial, None),
            Ok(()) => return SUCCESS,
            // An error object with vectors missing is an error, whatever it says.
            Err(flaw) if flaw.may_be_an_error() => match Complaint::inside(answer) {
                Some(complaint) => (Flaw::Error, Some(complaint)),
                None => (flaw, Complaint::anywhere(answer)),
            },
            Err(flaw) => (flaw, None),
        },
        None if complaint::may_hold_error(answer.body) => match Complaint::inside(answer) {
            Some(complaint) => (Flaw::Error, Some(complaint)),
            None => return SUCCESS,
        },
        None => return SUCCESS,
    };
    let known = complaint.as_ref().and_then(|complaint| known(complaint, answer.status, only));
    let (verdict, rule) = known.unwrap_or((flaw.verdict(), flaw.rule()));
    let (limit, (verdict, rule)) = limited(complaint.as_ref(), answer.status, (verdict, rule));
    let verdict = hinted(verdict, known.is_some(), answer);
    Decision { verdict, rule, complaint, limit }
}

fn decide_failure(answer: Read<'_>, only: Option<Provider>) -> Decision {
    let status = answer.status;
    let complaint = Complaint::anywhere(answer);
    let by_body = complaint.as_ref().and_then(|complaint| known(complaint, status, only));
    let (ruled, known) = by_body.map_or_else(
        || {
            let (ruled, listed) = by_status(status, only);
            (complaint.as_ref().map_or(ruled, |complaint| window(complaint, ruled, only)), listed)
        },
        |ruled| (ruled, true),
    );
    let (limit, (mut verdict, rule)) = limited(complaint.as_ref(), status, ruled);
    if status == StatusCode::NOT_FOUND && complaint.as_ref().is_some_and(Complaint::is_page) {
        // A page of something in between: the server itself was not asked.
        verdict = verdict.neutral();
    }
    if rule == "status/413" && answer.extensions.get().is_some_and(|expected: &Expected| expected.count == 1) {
        verdict = verdict.advise(Remedy::Truncate);
    }
    Decision { verdict: hinted(verdict, known || limit.is_some(), answer), rule, complaint, limit }
}

type Ruled = (Verdict, &'static str);

/// What the tables say of a complaint, its status aside.
fn known(complaint: &Complaint, status: StatusCode, only: Option<Provider>) -> Option<Ruled> {
    let ranked = |sign: Sign| {
        let fits = move |row: &Row| row.sign() == sign && row.allows(status.as_u16()) && row.said(complaint.lower());
        table::ranked(only).filter(move |(_, row)| fits(row))
    };
    let number = || {
        let number = complaint.number()?;
        ranked(Sign::Number).map(|(_, row)| row).find(|row| number.is(row.family(), row.word()))
    };
    let phrase = || ranked(Sign::Phrase).map(|(_, row)| row).find(|row| row.outranks(status.as_u16(), true));
    let word = |sign: Sign| {
        // A row that spells it alike is the better evidence.
        let named = |word: &str| {
            let exactly = ranked(sign)
                .filter(|(rank, row)| row.outranks(status.as_u16(), *rank == Rank::Own))
                .find(|(_, row)| row.word() == word);
            let alike = || ranked(sign).find(|(_, row)| row.outranks(status.as_u16(), false) && same(row.word(), word));
            exactly.or_else(alike).map(|(_, row)| row)
        };
        // `Throttling.RateQuota` is a kind of `Throttling`.
        complaint.words().find_map(|word| named(word).or_else(|| named(word.split_once('.')?.0)))
    };
    let row = number()
        .or_else(|| word(Sign::Code))
        .or_else(phrase)
        .or_else(|| word(Sign::Vague))
        .map(|row| (row.verdict(), row.name()));
    let ruled = row.or_else(|| inner_status(complaint, status, only))?;
    let ruled = flight(complaint, status, ruled.0, only).unwrap_or(ruled);
    Some(window(complaint, ruled, only))
}

/// The status in the body, where the status of the answer says less.
fn inner_status(complaint: &Complaint, status: StatusCode, only: Option<Provider>) -> Option<Ruled> {
    let inner = StatusCode::from_u16(complaint.status()?).ok()?;
    let worth = inner != status && (status.is_success() || (WEAK.contains(&status) && !WEAK.contains(&inner)));
    let failed = inner.is_client_error() || inner.is_server_error();
    let (ruled, listed) = by_status(inner, only);
    if !listed && !failed {
        return None;
    }
    (worth && caller::gives_way(status.as_u16(), ruled.0, false)).then_some(ruled)
}

/// What a status says where the body says nothing, and whether it is known: a family may have some of its own.
fn by_status(status: StatusCode, only: Option<Provider>) -> (Ruled, bool) {
    let mut rows = table::rows(only).filter(|row| row.sign() == Sign::Status);
    if let Some(row) = rows.find(|row| row.word() == status.as_str()) {
        return ((row.verdict(), row.name()), true);
    }
    let rule = ByStatus::new().rule(status);
    ((rule.verdict(), rule.name()), rule.is_listed())
}

/// A limit of what runs at once is no spent quota.
fn flight(complaint: &Complaint, status: StatusCode, verdict: Verdict, only: Option<Provider>) -> Option<Ruled> {
    let says = |row: &&Row| row.sign() == Sign::Flight && row.allows(status.as_u16()) && row.said(complaint.lower());
    let row = (verdict.class() == Class::QuotaExhausted).then(|| table::rows(only).find(says)).flatten()?;
    Some((row.verdict(), row.name()))
}

/// How much may be sent at once; who says so wants less, whatever else was made of it.
fn limited(complaint: Option<&Complaint>, status: StatusCode, ruled: Ruled) -> (Option<InputLimit>, Ruled) {
    let splits = ruled.0.remedy() == Some(Remedy::Split);
    // Who may call, and what is paid, comes first.
    let caller = match ruled.0.class() {
        Class::QuotaExhausted => true,
        Class::Auth => status != StatusCode::FORBIDDEN || ruled.0.remedy().is_some(),
        _ => false,
    };
    let limit = complaint.filter(|_| !caller).and_then(|complaint| InputLimit::of(complaint.lower(), splits));
    let advised = limit.is_some() && !splits;
    (limit, if advised { (Verdict::PERMANENT.advise(Remedy::Split), "generic/limit") } else { ruled })
}

/// Over what time a limit is counted; one that refills in a day or later is no throttle.
fn window(complaint: &Complaint, ruled: Ruled, only: Option<Provider>) -> Ruled {
    if ruled.0.class() != Class::Throttled {
        return ruled;
    }
    let spoken = complaint.spoken();
    let row = table::rows(only).find(|row| row.sign() == Sign::Window && row.said(&spoken));
    let Some(row) = row else { return ruled };
    match row.verdict().window() {
        Some(window) if row.verdict().class() == Class::Throttled => (ruled.0.per(window), ruled.1),
        _ => (row.verdict(), row.name()),
    }
}

fn hinted(verdict: Verdict, known: bool, answer: Read<'_>) -> Verdict {
    heed(verdict, known, answer.headers, Some(&complaint::text(answer.body)))
}

/// Statuses that gateways put over any other.
const WEAK: &[StatusCode] = &[
    StatusCode::BAD_REQUEST,
    StatusCode::INTERNAL_SERVER_ERROR,
    StatusCode::BAD_GATEWAY,
    StatusCode::SERVICE_UNAVAILABLE,
];
