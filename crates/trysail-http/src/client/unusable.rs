use std::{error::Error, fmt};

use trysail_core::Verdict;

/// Why a connection cannot be made from here, however often it is tried.
#[derive(Debug)]
pub(crate) struct Unusable(pub(crate) &'static str);

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Unusable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&VERDICT)
    }
}

static VERDICT: Verdict = Verdict::PERMANENT.neutral();
