/// What a call has taken to be sent; next to nothing where there is nothing to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fare {
    /// How often calls had been slowed down before it.
    pub(crate) epoch: u32,
    /// What it counts among, besides.
    pub(crate) places: Places,
    pub(crate) taken: Option<Taken>,
}

/// What a call has taken out of the rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) cost: u64,
    /// When, by the pace's clock.
    pub(crate) at: u64,
    /// What was left of both rates then.
    pub(crate) marks: [u64; 2],
    /// Whether there were rates.
    pub(crate) is_paid: bool,
}

/// What a call counts among.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Places(u8);

impl Fare {
    #[inline]
    pub(crate) fn cost(self) -> u64 {
        self.taken.map_or(0, |taken| taken.cost)
    }

    /// What it has taken of rates, if there were any.
    pub(crate) fn paid(self) -> Option<Taken> {
        self.taken.filter(|taken| taken.is_paid)
    }

    pub(crate) fn and(self, place: Places, is_so: bool) -> Self {
        Self { places: Places(self.places.0 | if is_so { place.0 } else { 0 }), ..self }
    }
}

impl Places {
    pub(crate) const NONE: Self = Self(0);
    /// The first calls after a pause.
    pub(crate) const FIRST: Self = Self(1);
    /// Those in flight, where these are limited.
    pub(crate) const IN_FLIGHT: Self = Self(2);
    /// It finds out whether the server says something else by now.
    pub(crate) const PROBE: Self = Self(4);

    #[inline]
    pub(crate) const fn are_any(self) -> bool {
        self.0 != 0
    }

    pub(crate) const fn hold(self, place: Self) -> bool {
        self.0 & place.0 != 0
    }
}
