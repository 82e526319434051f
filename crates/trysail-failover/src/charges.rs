/// What a call has paid for asking more members than one.
#[derive(Debug)]
pub(crate) struct Charges<G> {
    /// For the member that is asked now, or was to be.
    in_hand: Option<G>,
    /// It was waited for, so the request is on its way.
    sent: bool,
    spent: Vec<G>,
}

impl<G> Charges<G> {
    pub(crate) const fn new() -> Self {
        Self { in_hand: None, sent: false, spent: Vec::new() }
    }

    /// Whether the next member is paid for; what nothing was sent for is still there.
    pub(crate) fn pay(&mut self, pay: impl FnOnce() -> Option<G>) -> bool {
        if self.in_hand.is_none() {
            self.in_hand = pay();
        }
        self.in_hand.is_some()
    }

    /// The member that is asked now is waited for.
    pub(crate) const fn sent(&mut self) {
        self.sent = true;
    }

    /// It has failed.
    pub(crate) fn settle(&mut self, was_sent: bool) {
        self.sent = false;
        if was_sent {
            self.spent.extend(self.in_hand.take());
        }
    }

    /// All of them, for a call that succeeds.
    pub(crate) fn take_all(&mut self) -> impl Iterator<Item = G> {
        self.spent.drain(..).chain(self.in_hand.take())
    }

    /// What nothing was sent for, for a call that ends otherwise.
    pub(crate) fn take_unsent(&mut self) -> Option<G> {
        if self.sent { None } else { self.in_hand.take() }
    }
}
