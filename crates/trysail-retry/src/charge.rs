/// What a retry has taken out of a budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charge {
    pub(crate) parts: u32,
    pub(crate) probe: bool,
}

impl Charge {
    /// Both together.
    pub(crate) const fn plus(self, other: Self) -> Self {
        Self { parts: self.parts.saturating_add(other.parts), probe: other.probe }
    }

    /// What of it is there to be given back if it is spent.
    pub(crate) const fn spent(self) -> Self {
        Self { parts: 0, ..self }
    }
}
