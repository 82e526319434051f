/// What admits a call, and finds its result a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Permit {
    /// The generation, and above it the number of a probe, so that a call carries one word.
    place: u64,
    /// When the call began, in milliseconds of the circuit's clock, if that was read.
    pub(crate) since_ms: Option<u32>,
}

impl Permit {
    /// Of a call that goes through no circuit.
    pub(crate) const NONE: Self = Self::new(0, 0);

    /// `probe` is 0 unless the call is one.
    #[inline]
    pub(crate) const fn new(generation: u32, probe: u32) -> Self {
        Self { place: (probe as u64) << 32 | generation as u64, since_ms: None }
    }

    pub(crate) const fn begun(self, since_ms: u32) -> Self {
        Self { since_ms: Some(since_ms), ..self }
    }

    pub(crate) const fn generation(self) -> u32 {
        self.place as u32
    }

    pub(crate) const fn probe(self) -> u32 {
        (self.place >> 32) as u32
    }

    pub(crate) const fn place(self) -> u64 {
        self.place
    }
}
