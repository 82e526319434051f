//! Whether an [`Embedder`](crate::Embedder) shares its pace, where there is a store for that.

#[cfg(not(feature = "redis"))]
pub(crate) use off::Sharing;
#[cfg(feature = "redis")]
pub(crate) use on::Sharing;

#[cfg(feature = "redis")]
mod on {
    use crate::{Endpoint, Preset, RedisStore};

    /// Where the pace of its account is shared, if it is.
    #[derive(Clone, Debug, Default)]
    pub(crate) struct Sharing(pub(crate) Option<RedisStore>);

    impl Sharing {
        pub(crate) const fn is_on(&self) -> bool {
            self.0.is_some()
        }

        /// With the pace of this account, if it is shared.
        pub(crate) fn of<L>(&self, preset: Preset<L>, endpoint: &Endpoint, model: &str) -> Preset<L> {
            match &self.0 {
                Some(store) => preset.shared(store, endpoint.account(model)),
                None => preset,
            }
        }
    }
}

#[cfg(not(feature = "redis"))]
mod off {
    use crate::{Endpoint, Preset};

    #[derive(Clone, Debug, Default)]
    pub(crate) struct Sharing;

    impl Sharing {
        pub(crate) const fn is_on(&self) -> bool {
            false
        }

        pub(crate) fn of<L>(&self, preset: Preset<L>, _: &Endpoint, _: &str) -> Preset<L> {
            preset
        }
    }
}
