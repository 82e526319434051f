//! The three plots that matter.

use std::{
    fs,
    path::{Path, PathBuf},
};

use plotters::prelude::SeriesLabelPosition::{LowerLeft, LowerRight, UpperRight};

use crate::{
    faults,
    plot::{Line, Plot},
    storm::{self, Kind, Storm, name},
};

/// Writes `storm.svg`: answers a second through the storm, for a hundred processes.
pub(crate) fn storm(into: &Path, seed: u64) -> Result<(), String> {
    use storm::Policy::{Aws14, NoRetries, Tower, Trysail};
    let line = |policy| {
        let storm = Storm::run(policy, PROCESSES, Kind::Fifo, seed);
        Line { name: name(policy), points: points(0.0, &storm.good) }
    };
    let title = format!("{PROCESSES} processes, a server that is slow from 20 to 25 s");
    Plot {
        title: &title,
        across: "seconds",
        up: "answers in time, a second",
        x: 0.0..storm::SECONDS as f64,
        y: 0.0..1_100.0,
        names: LowerRight,
        lines: [Trysail, Tower, Aws14, NoRetries].map(line).into(),
    }
    .write(&ready(into, "storm.svg")?)
}

/// Writes `errors.svg` from the rows, and `outage.svg`: requests a second before, in and after an outage.
pub(crate) fn faults(into: &Path, rows: &[faults::Row], seed: u64) -> Result<(), String> {
    use faults::Policy::{AsyncOpenai, ByHand, OpenaiPython, Tower, Trysail, TrysailPatient, Unprotected};
    let shares = [1.0, 5.0, 10.0, 30.0, 50.0];
    let line = |policy| Line {
        name: name(policy),
        points: shares
            .into_iter()
            .filter_map(|share| {
                let scenario = format!("errors-{share}");
                let row = rows.iter().find(|row| row.scenario == scenario && row.policy == policy)?;
                Some((share, row.success * 100.0))
            })
            .collect(),
    };
    Plot {
        title: "Calls that succeed, of those whose requests fail at random",
        across: "requests that fail, %",
        up: "calls that succeed, %",
        x: 0.0..50.0,
        y: 0.0..100.0,
        names: LowerLeft,
        lines: [Trysail, TrysailPatient, ByHand, Tower, OpenaiPython, AsyncOpenai, Unprotected].map(line).into(),
    }
    .write(&ready(into, "errors.svg")?)?;
    let line = |policy| {
        let (from, requests) = faults::outage(policy, seed);
        Line { name: name(policy), points: points(from, &requests) }
    };
    Plot {
        title: "Ten calls a second, and connections are refused from 0 to 30 s",
        across: "seconds",
        up: "requests a second",
        x: -10.0..60.0,
        y: 0.0..80.0,
        names: UpperRight,
        lines: [Trysail, TrysailPatient, ByHand, Tower, AsyncOpenai].map(line).into(),
    }
    .write(&ready(into, "outage.svg")?)
}

fn points(from: f64, seconds: &[f64]) -> Vec<(f64, f64)> {
    seconds.iter().enumerate().map(|(second, count)| (from + second as f64, *count)).collect()
}

fn ready(directory: &Path, name: &str) -> Result<PathBuf, String> {
    fs::create_dir_all(directory).map_err(|error| format!("cannot make {}: {error}", directory.display()))?;
    Ok(directory.join(name))
}

const PROCESSES: usize = 100;
