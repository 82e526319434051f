/// What a good answer to a request is; lives in the request's extensions.
///
/// [`CollectLayer`](crate::CollectLayer) carries it over to the response, where a judge of bodies, such as `Providers` of
/// trysail-providers, checks that of a 2xx against it. Without it a body is not parsed: whoever decodes it, validates it.
///
/// ```
/// # use trysail_http::Expected;
/// let mut request = http::Request::post("https://example.com/v1/embeddings").body("…")?;
/// request.extensions_mut().insert(Expected::vectors(3).dimension(1_536));
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expected {
    /// How many vectors.
    pub count: usize,
    /// How many components each has.
    pub dimension: Option<usize>,
    /// How they are written.
    pub encoding: Encoding,
}

/// How vectors are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// As the server likes.
    #[default]
    Any,
    /// Lists of numbers.
    Float,
    /// Base64 of 32-bit floats, little-endian; a list of numbers will do as well.
    Base64,
}

impl Expected {
    /// `count` vectors, in any encoding.
    pub const fn vectors(count: usize) -> Self {
        Self { count, dimension: None, encoding: Encoding::Any }
    }

    /// Each of `dimension` components; all alike unless set.
    pub const fn dimension(self, dimension: usize) -> Self {
        Self { dimension: Some(dimension), ..self }
    }

    /// Written as `encoding`.
    pub const fn encoding(self, encoding: Encoding) -> Self {
        Self { encoding, ..self }
    }
}
