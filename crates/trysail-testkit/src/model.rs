//! A real, small embedding model: *potion-base-2M*, one row of 64 numbers a token.
//!
//! A text is the mean of the rows of its tokens, brought to length one, as `model2vec` computes it; `model/NOTICE`
//! says where the table comes from. Texts are never truncated: limits are the server's business.

mod table;
mod wordpiece;

use std::{fmt, sync::OnceLock};

use self::{table::Table, wordpiece::WordPiece};

/// A static embedding model.
pub struct Model {
    table: Table,
    pieces: WordPiece,
}

impl Model {
    /// The model that this crate carries, read on first use.
    pub fn potion() -> &'static Self {
        static POTION: OnceLock<Model> = OnceLock::new();
        POTION.get_or_init(|| {
            let (table, vocabulary) = table::parse(include_bytes!("../model/potion-base-2M.bin"));
            Self { pieces: WordPiece::new(vocabulary), table }
        })
    }

    /// The vector of `text`: of length one, or all zero if the model knows nothing in it.
    pub fn embed(&self, text: &str) -> Vec<f32> {
        self.pool(&self.ids(text))
    }

    /// The vector of the tokens `ids`, or the first id that is no token.
    pub fn embed_ids(&self, ids: &[u32]) -> Result<Vec<f32>, u32> {
        match ids.iter().find(|&&id| id as usize >= self.table.rows()) {
            Some(&unknown) => Err(unknown),
            None => Ok(self.pool(ids)),
        }
    }

    /// The tokens of `text`.
    pub fn ids(&self, text: &str) -> Vec<u32> {
        self.pieces.ids(text)
    }

    /// How many tokens `text` has.
    pub fn tokens(&self, text: &str) -> usize {
        self.ids(text).len()
    }

    /// How many numbers a vector has.
    pub fn dimensions(&self) -> usize {
        self.table.columns()
    }

    fn pool(&self, ids: &[u32]) -> Vec<f32> {
        let mut sum = vec![0.0; self.dimensions()];
        // A token outside the vocabulary has a row, but it means nothing.
        for &id in ids.iter().filter(|&&id| id != self.pieces.unknown()) {
            self.table.add_row(id as usize, &mut sum);
        }
        normalise(&mut sum);
        sum
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").field("tokens", &self.table.rows()).field("dimensions", &self.dimensions()).finish()
    }
}

/// Brings `vector` to length one, unless it is zero.
pub(crate) fn normalise(vector: &mut [f32]) {
    let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    for x in vector {
        *x /= norm;
    }
}
