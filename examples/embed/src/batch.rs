//! Puts lines together.

use std::{io, mem, time::Duration};

use tokio::{sync::mpsc, time::timeout};

use crate::source::{Flaw, Line, Place};

/// Lines that travel together.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Each line; those without a flaw have a text.
    pub(crate) places: Vec<(Place, Option<Flaw>)>,
    pub(crate) texts: Vec<String>,
    /// How many bytes it took to read.
    pub(crate) read: u64,
    bytes: usize,
}

/// The batches of a source.
pub(crate) struct Batches {
    lines: mpsc::Receiver<io::Result<Line>>,
    most: usize,
    next: Batch,
    /// Why the lines have ended, to be told after the last batch.
    failed: Option<io::Error>,
}

impl Batches {
    /// Of at most `most` lines each.
    pub(crate) fn new(lines: mpsc::Receiver<io::Result<Line>>, most: u32) -> Self {
        Self { lines, most: most as usize, next: Batch::default(), failed: None }
    }

    /// The next batch. May be dropped at any time without losing a line.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Batch>> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        loop {
            let begun = !self.next.places.is_empty();
            if self.next.places.len() >= self.most || self.next.bytes >= MOST_BYTES {
                return Ok(Some(mem::take(&mut self.next)));
            }
            let line = if begun {
                let Ok(line) = timeout(LINGER, self.lines.recv()).await else {
                    return Ok(Some(mem::take(&mut self.next)));
                };
                line
            } else {
                self.lines.recv().await
            };
            match line {
                Some(Ok(line)) => self.next.push(line),
                Some(Err(error)) if begun => {
                    self.failed = Some(error);
                    return Ok(Some(mem::take(&mut self.next)));
                }
                Some(Err(error)) => return Err(error),
                None => return Ok(begun.then(|| mem::take(&mut self.next))),
            }
        }
    }
}

impl Batch {
    fn push(&mut self, line: Line) {
        let flaw = match line.text {
            Ok(text) => {
                self.bytes += text.len();
                self.texts.push(text);
                None
            }
            Err(flaw) => Some(flaw),
        };
        self.places.push((line.place, flaw));
        self.read += line.read;
    }
}

/// A request of this size is closed, so that long lines do not add up to what no server takes.
const MOST_BYTES: usize = 512 << 10;
/// How long a batch waits for the next line, where somebody types or a log grows.
const LINGER: Duration = Duration::from_millis(200);
