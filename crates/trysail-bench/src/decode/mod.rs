//! What it costs to read an answer, and to judge it before.

mod ours;
mod peers;

use bytes::Bytes;

use crate::{
    answer,
    callgrind::{self, Counted},
    interleave,
    table::Table,
};

/// Reads the answer once more; gives the sum of what each vector begins with.
pub(crate) type Decode = Box<dyn FnMut() -> f64>;

/// A way to read an answer.
struct Decoder {
    name: &'static str,
    make: fn(Bytes) -> Decode,
}

macro_rules! decoders {
    ($($all:ident: $answer:path { $($name:literal => $make:path;)* })*) => {
        /// All ways to read both forms of the answer.
        pub(crate) const ALL: &[Counted] =
            &[$($(Counted { name: $name, run: |calls| repeat($make($answer(VECTORS)), calls) },)*)*];

        $(const $all: &[Decoder] = &[$(Decoder { name: $name, make: $make },)*];)*
    };
}

decoders! {
    BASE64: answer::base64 {
        "base64" => ours::plain;
        "base64, judged" => ours::judged;
        "serde_json, base64" => peers::serde_json_base64;
        "serde_json, base64-simd" => peers::serde_json_base64_simd;
        "sonic-rs, base64-simd" => peers::sonic_base64_simd;
    }
    FLOATS: answer::floats {
        "floats" => ours::plain;
        "floats, judged" => ours::judged;
        "serde_json" => peers::serde_json;
        "simd-json" => peers::simd_json;
        "sonic-rs" => peers::sonic;
    }
}

/// How one form of the answer is read.
pub(crate) struct Decoded {
    title: &'static str,
    kib: f64,
    pub(crate) rows: Vec<Row>,
}

/// What one way to read it takes.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// Megabytes a second.
    pub(crate) rate: f64,
    instructions: f64,
}

/// How fast the answer is read in each form, and with how many instructions.
pub(crate) fn measure() -> Result<Vec<Decoded>, String> {
    Ok(vec![
        Decoded::measure("Decode: base64", &answer::base64(VECTORS), BASE64)?,
        Decoded::measure("Decode: numbers", &answer::floats(VECTORS), FLOATS)?,
    ])
}

impl Decoded {
    fn measure(title: &'static str, body: &Bytes, decoders: &[Decoder]) -> Result<Self, String> {
        let row = |(decoder, rate): (&Decoder, f64)| {
            let instructions = callgrind::per_call(decoder.name, CALLS)?.instructions;
            Ok(Row { name: decoder.name, rate, instructions })
        };
        let rows: Result<_, String> = decoders.iter().zip(rates(body, decoders)).map(row).collect();
        Ok(Self { title, kib: body.len() as f64 / 1024.0, rows: rows? })
    }

    pub(crate) fn table(&self) -> Table {
        let ours = &self.rows[0];
        let about = format!(
            "An answer of {VECTORS} vectors of {} dimensions, {:.0} KiB, in memory. `{}` is what `Embeddings` does: it reads \
             any shape and checks each value, each index and all lengths; judged: with `Providers` below. The others fill \
             a struct that fits this one shape and check nothing. Medians of {ROUNDS} interleaved rounds; instructions by \
             callgrind; all built for any machine of this kind, without `target-cpu=native`.",
            answer::DIMENSIONS,
            self.kib,
            ours.name,
        );
        let mut table = Table::new(self.title, &about, &["decoder", "MB/s", "of ours", "instructions/KiB", "of ours"]);
        table.rows.extend(self.rows.iter().map(|Row { name, rate, instructions }| {
            vec![
                (*name).to_owned(),
                format!("{rate:.0}"),
                format!("{:.2}", rate / ours.rate),
                format!("{:.0}", instructions / self.kib),
                format!("{:.2}", instructions / ours.instructions),
            ]
        }));
        table
    }
}

/// Megabytes a second.
fn rates(body: &Bytes, decoders: &[Decoder]) -> Vec<f64> {
    let mut decodes: Vec<_> = decoders.iter().map(|decoder| (decoder.make)(body.clone())).collect();
    let sums: Vec<_> = decodes.iter_mut().map(|decode| decode()).collect();
    assert!(sums.iter().all(|sum| *sum == sums[0]), "not all of them read the same: {sums:?}");
    let mut runs: Vec<Box<dyn FnMut()>> =
        decodes.into_iter().map(|mut decode| Box::new(move || (0..ROUND).for_each(|_| _ = decode())) as _).collect();
    let seconds = interleave::seconds(ROUNDS, &mut runs);
    seconds.into_iter().map(|seconds| (ROUND * body.len()) as f64 / seconds / 1e6).collect()
}

fn repeat(mut decode: Decode, calls: u64) {
    (0..calls).for_each(|_| _ = decode());
}

const VECTORS: usize = 64;
const CALLS: u32 = 3;
const ROUND: usize = 20;
const ROUNDS: usize = 25;
