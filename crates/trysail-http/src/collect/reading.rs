use std::{
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes};
use http::{Response, StatusCode, header::CONTENT_LENGTH, response};
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};
use trysail_core::{Elapsed, Scope};

use crate::{
    collect::{CollectError, gathered::Gathered},
    deadline::later,
};

/// How much is read of a body.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Most {
    /// All of it, and no more than this.
    Whole(usize),
    /// What it begins with.
    Start(usize),
}

/// How much is kept of the two kinds of bodies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) success: usize,
    pub(crate) error: usize,
}

impl Limits {
    pub(crate) fn of(self, status: StatusCode) -> Most {
        if status.is_success() { Most::Whole(self.success) } else { Most::Start(self.error.min(self.success)) }
    }
}

/// What was read.
pub(crate) struct Read {
    body: Bytes,
    is_cut: bool,
}

impl Read {
    /// With the head it came with, which no longer says how long a body is that was cut.
    pub(crate) fn with(self, mut head: response::Parts) -> Response<Bytes> {
        if self.is_cut {
            head.headers.remove(CONTENT_LENGTH);
        }
        Response::from_parts(head, self.body)
    }
}

pin_project! {
    /// A body that is being read.
    pub(crate) struct Reading<B> {
        #[pin]
        body: B,
        gathered: Gathered,
        most: Most,
        #[pin]
        silence: Option<Sleep>,
        // The last poll that brought a frame and then ended pending.
        progress: Option<Instant>,
    }
}

impl<B: Body> Reading<B> {
    /// Refused if its announced length is too much.
    pub(crate) fn new<C>(body: B, most: Most) -> Result<Self, CollectError<C, B::Error>> {
        let gathered = match most {
            Most::Whole(limit) if body.size_hint().lower() > limit as u64 => {
                return Err(CollectError::TooLarge { limit });
            }
            Most::Whole(_) => Gathered::Nothing,
            Most::Start(_) => Gathered::Copy(Vec::new()),
        };
        Ok(Self { body, gathered, most, silence: None, progress: None })
    }

    pub(crate) fn poll<C>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        idle: Option<Duration>,
    ) -> Poll<Result<Read, CollectError<C, B::Error>>> {
        let mut this = self.project();
        let mut progressed = false;
        while let Poll::Ready(frame) = this.body.as_mut().poll_frame(cx) {
            let Some(frame) = frame.transpose().map_err(CollectError::Body)? else {
                return Poll::Ready(Ok(Read { body: this.gathered.take(), is_cut: false }));
            };
            progressed = true;
            let Ok(data) = frame.into_data() else { continue };
            let (Most::Whole(most) | Most::Start(most)) = *this.most;
            let room = most - this.gathered.len();
            match this.most {
                Most::Whole(limit) if data.remaining() > room => {
                    return Poll::Ready(Err(CollectError::TooLarge { limit: *limit }));
                }
                Most::Whole(_) => this.gathered.push(data),
                Most::Start(_) => this.gathered.push(data.take(room)),
            }
            // Nobody waits for what is not kept.
            let is_cut = matches!(this.most, Most::Start(_)) && this.gathered.len() == most;
            if is_cut || this.body.is_end_stream() {
                return Poll::Ready(Ok(Read { body: this.gathered.take(), is_cut }));
            }
        }
        // Until it begins it is being computed: how long that may take is for the limit of the attempt to say.
        let Some(idle) = idle.filter(|_| this.gathered.len() > 0) else { return Poll::Pending };
        loop {
            let Some(mut silence) = this.silence.as_mut().as_pin_mut() else {
                this.silence.set(Some(sleep_until(later(Instant::now(), idle))));
                progressed = false;
                continue;
            };
            if mem::take(&mut progressed) {
                *this.progress = Some(Instant::now());
            }
            ready!(silence.as_mut().poll(cx));
            match this.progress.take() {
                Some(progress) => silence.reset(later(progress, idle)),
                None => return Poll::Ready(Err(CollectError::Idle(Elapsed::new(Scope::Idle, idle)))),
            }
        }
    }
}
