use std::ops::Range;

use super::server::{CRASHES, REFUSED};

/// What goes wrong, and how the calls come.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// What goes wrong, for the page.
    pub(crate) about: &'static str,
    /// Which requests fail, as a `Plan` of the testkit.
    pub(crate) plan: &'static str,
    pub(crate) load: Load,
    pub(crate) trouble: Trouble,
    /// Over so many the calls are spread: each has a stack of its own, and they share the server and nothing else.
    pub(crate) processes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// Calls that come by themselves, ten a second.
    Open,
    /// A hundred calls at once, every ten seconds.
    Bursts,
    /// Four places that each send the next call when they have an answer.
    Closed,
    /// The same, with 32 texts a request; a call is a text.
    Batches,
}

/// What goes wrong with the whole server, beside its plan. Times are in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Trouble {
    Nothing,
    /// A bucket of tokens, of which each request takes one.
    RateLimit {
        a_second: f64,
        burst: f64,
        /// Whether a refusal says when the next request is allowed.
        hints: bool,
    },
    /// Nobody listens.
    Outage {
        lasts: f64,
    },
    /// Nobody listens, then the model is loaded.
    Restart {
        down: f64,
        loading: f64,
    },
    /// The account is empty until somebody pays.
    Quota {
        lasts: f64,
    },
    /// Its eight workers need longer for everything.
    Slow {
        lasts: f64,
        takes: f64,
    },
    /// Some texts are refused, and on others it falls over.
    Poison,
}

impl Load {
    /// Calls a second, about, of a healthy server.
    pub(crate) const fn rate(self) -> f64 {
        match self {
            Self::Open | Self::Bursts => 10.0,
            Self::Closed => 80.0,
            Self::Batches => 2_500.0,
        }
    }
}

impl Trouble {
    pub(super) fn texts(self, ordinals: Range<usize>) -> Vec<String> {
        ordinals.map(|ordinal| self.text(ordinal)).collect()
    }

    /// What one call is about, and whether that is a trouble by itself.
    pub(super) fn text(self, ordinal: usize) -> String {
        match ordinal % 640 {
            100 if self == Self::Poison => format!("line {ordinal}, {REFUSED}"),
            420 if self == Self::Poison => format!("line {ordinal}, {CRASHES}"),
            _ => format!("line {ordinal}"),
        }
    }
}

impl Scenario {
    /// From when to when the server is in trouble as a whole, in a run of so many calls.
    pub(crate) fn span(&self, calls: usize) -> Option<Range<f64>> {
        let lasts = match self.trouble {
            Trouble::Nothing | Trouble::RateLimit { .. } | Trouble::Poison => return None,
            Trouble::Outage { lasts } | Trouble::Quota { lasts } | Trouble::Slow { lasts, .. } => lasts,
            Trouble::Restart { down, loading } => down + loading,
        };
        let starts = 0.4 * calls as f64 / self.load.rate();
        Some(starts..starts + lasts)
    }
}

const fn errors(name: &'static str, about: &'static str, plan: &'static str) -> Scenario {
    Scenario { name, about, plan, load: Load::Open, trouble: Trouble::Nothing, processes: 1 }
}

const fn trouble(name: &'static str, about: &'static str, load: Load, trouble: Trouble) -> Scenario {
    Scenario { name, about, plan: "", load, trouble, processes: 1 }
}

const fn rate_limit(name: &'static str, about: &'static str, hints: bool, processes: u64) -> Scenario {
    let trouble = Trouble::RateLimit { a_second: 12.0, burst: 20.0, hints };
    Scenario { name, about, plan: "", load: Load::Bursts, trouble, processes }
}

pub(crate) const ALL: &[Scenario] = &[
    errors("errors-1", "1 % of the requests fail: 503", "503:1"),
    errors("errors-5", "5 % of the requests fail: 503, 500, a reset connection", "503:2,500:2,reset:1"),
    errors("errors-10", "10 %, of the same kinds", "503:4,500:3,reset:3"),
    errors("errors-30", "30 %, of the same kinds", "503:10,500:10,reset:10"),
    errors("errors-50", "50 %, of the same kinds", "503:20,500:15,reset:15"),
    errors("hangs-5", "5 % of the requests are never answered", "hang:5"),
    rate_limit(
        "rate-limit",
        "12 requests a second and 20 at once are allowed; 429 says when the next is; 100 calls come at once every 10 s",
        true,
        1,
    ),
    rate_limit("rate-limit-4-processes", "the same, of four processes with a quarter of the calls each", true, 4),
    rate_limit(
        "rate-limit-silent",
        "the same of one process, and 429 does not say when the next is allowed, so that the throttle looks for a rate",
        false,
        1,
    ),
    rate_limit("rate-limit-silent-4-processes", "the same, of four processes", false, 4),
    trouble("outage", "connections are refused for 30 s", Load::Open, Trouble::Outage { lasts: 30.0 }),
    trouble(
        "quota",
        "429 `insufficient_quota` for 60 s, until it is paid for",
        Load::Open,
        Trouble::Quota { lasts: 60.0 },
    ),
    trouble(
        "slow",
        "eight workers, whose 50 ms become 4 s for 60 s; they work on for callers who have gone",
        Load::Open,
        Trouble::Slow { lasts: 60.0, takes: 4.0 },
    ),
    trouble(
        "restart",
        "connections are refused for 3 s, then it says for 10 s that its model is loading",
        Load::Open,
        Trouble::Restart { down: 3.0, loading: 10.0 },
    ),
    trouble(
        "poison",
        "batches of 32 texts; one text in 640 is refused, and one in 640 makes the server fail; a call is a text",
        Load::Batches,
        Trouble::Poison,
    ),
    trouble(
        "bulk-outage",
        "a job with four places; connections are refused for 30 s",
        Load::Closed,
        Trouble::Outage { lasts: 30.0 },
    ),
];
