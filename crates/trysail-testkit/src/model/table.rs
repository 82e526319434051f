//! The file: little-endian, no padding.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | R, the number of tokens, `u32` |
//! | 4 | C, the numbers in a row, `u32` |
//! | 4 R | the scale of each row, `f32` |
//! | R C | the rows, `i8`; times its scale a row is the token's vector |
//! | the rest | the tokens in the order of their rows, each a length in bytes (`u8`) and UTF-8 |

/// The rows of a model.
pub(super) struct Table {
    scales: Vec<f32>,
    rows: &'static [u8],
    columns: usize,
}

impl Table {
    pub(super) fn rows(&self) -> usize {
        self.scales.len()
    }

    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    pub(super) fn add_row(&self, row: usize, sum: &mut [f32]) {
        let numbers = &self.rows[row * self.columns..][..self.columns];
        for (sum, &number) in sum.iter_mut().zip(numbers) {
            *sum += f32::from(number.cast_signed()) * self.scales[row];
        }
    }
}

/// The rows of a file, and its tokens.
pub(super) fn parse(file: &'static [u8]) -> (Table, Vec<&'static str>) {
    let (sizes, rest) = file.split_at(8);
    let count = |at: usize| u32::from_le_bytes(*sizes[at..].first_chunk().expect("eight bytes of sizes")) as usize;
    let (rows, columns) = (count(0), count(4));
    let (scales, rest) = rest.split_at(4 * rows);
    let (numbers, mut rest) = rest.split_at(rows * columns);
    let scales = scales.as_chunks().0.iter().map(|&scale| f32::from_le_bytes(scale)).collect();
    let mut vocabulary = Vec::with_capacity(rows);
    while let Some((&length, tail)) = rest.split_first() {
        let (token, tail) = tail.split_at(length.into());
        vocabulary.push(str::from_utf8(token).expect("the tokens in the file are UTF-8"));
        rest = tail;
    }
    assert_eq!(vocabulary.len(), rows, "the file has one token for each row");
    (Table { scales, rows: numbers, columns }, vocabulary)
}
