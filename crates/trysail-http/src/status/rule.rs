use trysail_core::Verdict;

/// What a status says by itself, and by which rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusRule {
    name: &'static str,
    verdict: Verdict,
    listed: bool,
}

impl StatusRule {
    pub(super) const fn listed(name: &'static str, verdict: Verdict) -> Self {
        Self { name, verdict, listed: true }
    }

    pub(super) const fn family(name: &'static str, verdict: Verdict) -> Self {
        Self { name, verdict, listed: false }
    }

    /// `status/503`, `status/5xx`, `status/own` or `success`.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The verdict.
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Whether the status itself is known, and not only its first digit.
    pub const fn is_listed(&self) -> bool {
        self.listed
    }
}
