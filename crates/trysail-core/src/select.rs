/// Says which of several shared things a request goes through: which circuit, which retry budget.
///
/// A circuit or a budget says so itself, for all requests alike. So does every closure over the request that returns one,
/// or an `Option` of one, and what `keyed` makes of a `Registry` (feature `std`), with one for each key.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which `{T}` a request `{Req}` goes through",
    note = "pass a `{T}`, a closure `|request: &{Req}| -> {T}`, or one for each key: `….keyed(|request: &{Req}| key)`",
    note = "settings alone are none: `Circuit::new(trip)` makes a circuit of a `Trip`, and `Budget::new(settings)` a budget"
)]
pub trait Select<Req: ?Sized, T> {
    /// What a call keeps of the choice; nothing where all requests go through the same one.
    type Selection: Default;

    /// Chooses for `request`.
    fn select(&self, request: &Req) -> Self::Selection;

    /// What was chosen; `None` if the request goes through none.
    fn selected<'a>(&'a self, selection: &'a Self::Selection) -> Option<&'a T>;

    /// What was chosen, to keep.
    fn keep(&self, selection: Self::Selection) -> Option<T>
    where
        T: Clone,
    {
        self.selected(&selection).cloned()
    }

    /// The one that every request goes through, if that is known without a request.
    fn only(&self) -> Option<&T> {
        None
    }
}

#[diagnostic::do_not_recommend]
impl<Req, T, F, D> Select<Req, T> for F
where
    Req: ?Sized,
    F: Fn(&Req) -> D,
    D: Into<Option<T>>,
{
    type Selection = Option<T>;

    fn select(&self, request: &Req) -> Option<T> {
        self(request).into()
    }

    fn selected<'a>(&'a self, selection: &'a Option<T>) -> Option<&'a T> {
        selection.as_ref()
    }

    fn keep(&self, selection: Option<T>) -> Option<T> {
        selection
    }
}
