use crate::Budget;

/// Says which budget pays for the retries of a request.
#[diagnostic::on_unimplemented(
    message = "`{Self}` knows no retry budget for `{Req}`",
    note = "pass a `Budget`, or `budgets.keyed(|request: &{Req}| key)`"
)]
pub trait SelectBudget<Req> {
    /// What a call keeps of its choice; nothing where one budget serves all.
    type Selected: Default;

    /// Chooses for `request`.
    fn select(&self, request: &Req) -> Self::Selected;

    /// The budget that was chosen.
    fn budget<'a>(&'a self, selected: &'a Self::Selected) -> Option<&'a Budget>;
}

impl<Req> SelectBudget<Req> for Budget {
    type Selected = ();

    #[inline]
    fn select(&self, _: &Req) {}

    #[inline]
    fn budget<'a>(&'a self, (): &'a ()) -> Option<&'a Budget> {
        Some(self)
    }
}
