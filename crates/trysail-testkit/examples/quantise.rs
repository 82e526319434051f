//! Makes the table of the model: `quantise model.safetensors tokenizer.json out.bin`.
//!
//! Each row becomes 64 bytes and one scale; `src/model/table.rs` describes the file.

use std::{env, error::Error, fs, process::ExitCode};

use serde_json::Value;

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [model, tokenizer, out] = arguments.as_slice() else {
        eprintln!("usage: quantise model.safetensors tokenizer.json out.bin");
        return ExitCode::from(2);
    };
    match quantise(model, tokenizer).and_then(|table| Ok(fs::write(out, table)?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quantise: {error}");
            ExitCode::FAILURE
        }
    }
}

fn quantise(model: &str, tokenizer: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let (rows, columns, numbers) = embeddings(&read(model)?).map_err(|why| format!("{model}: {why}"))?;
    let tokens = vocabulary(&read(tokenizer)?).map_err(|why| format!("{tokenizer}: {why}"))?;
    if tokens.len() != rows {
        return Err(format!("{model} has {rows} rows, but {tokenizer} has {} tokens", tokens.len()).into());
    }
    let scales: Vec<f32> = numbers.chunks_exact(columns).map(|row| row.iter().fold(0.0, scale)).collect();

    let mut table = Vec::with_capacity(numbers.len() * 3 / 2);
    table.extend(u32::try_from(rows)?.to_le_bytes());
    table.extend(u32::try_from(columns)?.to_le_bytes());
    table.extend(scales.iter().flat_map(|scale| scale.to_le_bytes()));
    for (row, scale) in numbers.chunks_exact(columns).zip(&scales) {
        // The division by the scale of a zero row is NaN, which is 0 as an `i8`.
        table.extend(row.iter().map(|number| ((number / scale).round() as i8).cast_unsigned()));
    }
    for token in tokens {
        table.push(u8::try_from(token.len()).map_err(|_| format!("the token {token:?} is longer than 255 bytes"))?);
        table.extend(token.bytes());
    }
    Ok(table)
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|why| format!("{path}: {why}"))
}

fn scale(largest: f32, number: &f32) -> f32 {
    largest.max(number.abs() / 127.0)
}

/// The rows, the columns and the numbers of the one tensor: eight bytes of length, a header in JSON, the data.
fn embeddings(file: &[u8]) -> Result<(usize, usize, Vec<f32>), Box<dyn Error>> {
    let (length, rest) = file.split_first_chunk().ok_or("no header")?;
    let length = usize::try_from(u64::from_le_bytes(*length))?;
    let (header, data) = rest.split_at_checked(length).ok_or("ends inside its header")?;
    let header: Value = serde_json::from_slice(header)?;
    let tensor = header.get("embeddings").ok_or("has no tensor named `embeddings`")?;
    if tensor["dtype"] != "F32" {
        return Err(format!("the embeddings are {}, not F32", tensor["dtype"]).into());
    }
    let (Some([rows, columns]), Some([start, end])) = (pair(&tensor["shape"]), pair(&tensor["data_offsets"])) else {
        return Err("the embeddings are no matrix".into());
    };
    let data = data.get(start..end).ok_or("ends inside its embeddings")?;
    if columns == 0 || rows.checked_mul(columns).and_then(|count| count.checked_mul(4)) != Some(data.len()) {
        return Err(format!("{rows} rows of {columns} do not fit {} bytes", data.len()).into());
    }
    let numbers: Vec<_> = data.as_chunks().0.iter().map(|&number| f32::from_le_bytes(number)).collect();
    match numbers.iter().all(|number| number.is_finite()) {
        true => Ok((rows, columns, numbers)),
        false => Err("a number is not finite".into()),
    }
}

fn pair(value: &Value) -> Option<[usize; 2]> {
    let [first, second] = value.as_array()?.as_slice() else { return None };
    Some([first.as_u64()?.try_into().ok()?, second.as_u64()?.try_into().ok()?])
}

/// The tokens in the order of their ids.
fn vocabulary(file: &[u8]) -> Result<Vec<String>, Box<dyn Error>> {
    let file: Value = serde_json::from_slice(file)?;
    let entries = file["model"]["vocab"].as_object().ok_or("has no `model.vocab`")?;
    let mut tokens = vec![None; entries.len()];
    for (token, id) in entries {
        let id = id.as_u64().and_then(|id| usize::try_from(id).ok());
        let slot =
            id.and_then(|id| tokens.get_mut(id)).ok_or_else(|| format!("the id of {token:?} is out of range"))?;
        *slot = Some(token.clone());
    }
    tokens.into_iter().collect::<Option<_>>().ok_or_else(|| "two tokens have the same id".into())
}
