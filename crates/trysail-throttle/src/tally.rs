use trysail_core::{Held, Hold};

/// What has become of calls that did not pass at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) waited: u64,
    pub(crate) refused: [u64; Hold::ALL.len()],
}

impl Tally {
    pub(crate) const fn refuses(&mut self, held: Held) -> Held {
        self.refused[held.hold().index()] += 1;
        held
    }
}
