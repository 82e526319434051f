//! Lines on their way into batches.

use std::{
    collections::VecDeque,
    io, mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use futures_util::Stream;
use tokio::sync::mpsc;

use crate::source::{Flaw, Line, Place};

/// The texts of lines, whose places are [kept](Sent) until it is known what became of them.
pub(crate) struct Feed {
    lines: mpsc::Receiver<io::Result<Line>>,
    sent: Sent,
}

/// Lines that have been read, in their order. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sent {
    lines: Arc<Mutex<Waiting>>,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: VecDeque<Mark>,
    /// Why there are no more.
    failed: Option<io::Error>,
}

/// A line without its text.
#[derive(Debug)]
pub(crate) struct Mark {
    pub(crate) place: Place,
    /// Why it was not sent.
    pub(crate) flaw: Option<Flaw>,
    /// How many bytes it took to read.
    pub(crate) read: u64,
}

impl Feed {
    pub(crate) fn new(lines: mpsc::Receiver<io::Result<Line>>, sent: Sent) -> Self {
        Self { lines, sent }
    }
}

impl Stream for Feed {
    type Item = String;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<String>> {
        let Self { lines, sent } = &mut *self;
        for _ in 0..MOST_FLAWED {
            match std::task::ready!(lines.poll_recv(cx)) {
                Some(Ok(Line { place, text, read })) => {
                    let (text, flaw) = match text {
                        Ok(text) => (Some(text), None),
                        Err(flaw) => (None, Some(flaw)),
                    };
                    sent.waiting().lines.push_back(Mark { place, flaw, read });
                    if let Some(text) = text {
                        return Poll::Ready(Some(text));
                    }
                }
                Some(Err(error)) => {
                    sent.waiting().failed = Some(error);
                    return Poll::Ready(None);
                }
                None => return Poll::Ready(None),
            }
        }
        // So that they can be written before more of them are read.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Sent {
    /// The next lines in their order: so many that were sent, and those before and between them that could not be.
    pub(crate) fn take(&self, sent: usize) -> Vec<Mark> {
        let mut waiting = self.waiting();
        let mut left = sent;
        let many = waiting.lines.iter().take_while(|mark| {
            let takes = mark.flaw.is_some() || left > 0;
            left -= usize::from(takes && mark.flaw.is_none());
            takes
        });
        let many = many.count();
        waiting.lines.drain(..many).collect()
    }

    /// Whether the next line could not be sent.
    pub(crate) fn is_flawed(&self) -> bool {
        self.waiting().lines.front().is_some_and(|mark| mark.flaw.is_some())
    }

    /// Why not all lines could be read.
    pub(crate) fn failed(&self) -> Option<io::Error> {
        mem::take(&mut self.waiting().failed)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many lines that cannot be sent are read at a time.
const MOST_FLAWED: usize = 256;
