use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body::Frame;
use tokio::time::{Instant, Sleep, sleep};

use super::connection::Line;
use crate::faults::Fault;

/// Sends `json` in the way of `fault`.
pub(super) fn deliver(json: Vec<u8>, fault: Option<Fault>, line: Line) -> Response {
    let json = Bytes::from(json);
    let half = json.slice(..json.len() / 2);
    // What is sent before a connection breaks has to arrive first.
    let before = Duration::from_millis(20);
    let body = match fault {
        Some(Fault::Truncated) => return ([(CONTENT_TYPE, JSON)], half).into_response(),
        Some(Fault::ResetBody) => Pieces::new([half], before, Ending::Reset(line)),
        Some(Fault::Cut) => Pieces::new([half], before, Ending::HangUp(line)),
        Some(Fault::Stall) => Pieces::new([half], before, Ending::Silence),
        Some(Fault::Drip(pause)) => {
            let pieces = json.chunks(json.len().div_ceil(DRIPS)).map(|piece| json.slice_ref(piece));
            Pieces::new(pieces, pause, Ending::Complete)
        }
        _ => return ([(CONTENT_TYPE, JSON)], json).into_response(),
    };
    let length = json.len().to_string();
    ([(CONTENT_TYPE, JSON), (CONTENT_LENGTH, &length)], Body::new(body)).into_response()
}

/// A body that arrives piece by piece, with pauses, and may end badly.
struct Pieces {
    pieces: VecDeque<Bytes>,
    pause: Duration,
    wait: Pin<Box<Sleep>>,
    ending: Ending,
}

enum Ending {
    Complete,
    Reset(Line),
    HangUp(Line),
    Silence,
}

impl Pieces {
    fn new(pieces: impl IntoIterator<Item = Bytes>, pause: Duration, ending: Ending) -> Self {
        Self { pieces: pieces.into_iter().collect(), pause, wait: Box::pin(sleep(Duration::ZERO)), ending }
    }
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        ready!(self.wait.as_mut().poll(cx));
        if let Some(piece) = self.pieces.pop_front() {
            let next = Instant::now() + self.pause;
            self.wait.as_mut().reset(next);
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        match &self.ending {
            Ending::Complete => return Poll::Ready(None),
            Ending::Reset(line) => line.reset(),
            Ending::HangUp(line) => line.hang_up(),
            Ending::Silence => {}
        }
        Poll::Pending
    }
}

const JSON: &str = "application/json";
const DRIPS: usize = 25;
