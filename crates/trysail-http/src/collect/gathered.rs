use std::mem;

use bytes::{Buf, BufMut, Bytes};

/// A body as far as it has come.
///
/// Large frames are kept as they are and joined at the end, for a buffer that grows copies a body several times. Small
/// ones are put together at once, and many as well: a frame keeps the whole buffer that it was read into.
pub(crate) enum Gathered {
    Nothing,
    /// The whole body, more often than not.
    Frame(Bytes),
    Frames(Frames),
    /// None of the buffers that it was read into.
    Copy(Vec<u8>),
}

#[derive(Default)]
pub(crate) struct Frames {
    whole: Vec<Bytes>,
    /// What has come after these.
    small: Vec<u8>,
    len: usize,
}

impl Gathered {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Frame(frame) => frame.len(),
            Self::Frames(frames) => frames.len,
            Self::Copy(copy) => copy.len(),
        }
    }

    pub(crate) fn push(&mut self, mut data: impl Buf) {
        let len = data.remaining();
        match self {
            _ if len == 0 => {}
            Self::Nothing => *self = Self::Frame(data.copy_to_bytes(len)),
            Self::Frame(first) => {
                let mut frames = Frames::default();
                frames.push(mem::take(first));
                frames.push(data);
                *self = Self::Frames(frames);
            }
            Self::Frames(frames) => frames.push(data),
            Self::Copy(copy) => copy.put(data),
        }
    }

    /// The whole of it.
    pub(crate) fn take(&mut self) -> Bytes {
        match mem::replace(self, Self::Nothing) {
            Self::Nothing => Bytes::new(),
            Self::Frame(frame) => frame,
            Self::Frames(frames) => frames.join(),
            Self::Copy(copy) => copy.into_boxed_slice().into(),
        }
    }
}

impl Frames {
    fn push(&mut self, mut data: impl Buf) {
        let len = data.remaining();
        self.len += len;
        if self.len > MANY {
            self.put_together();
        }
        if len < SMALL || self.len > MANY {
            self.small.put(data);
            return;
        }
        if !self.small.is_empty() {
            self.whole.push(mem::take(&mut self.small).into());
        }
        self.whole.push(data.copy_to_bytes(len));
    }

    fn put_together(&mut self) {
        if self.whole.is_empty() {
            return;
        }
        let mut body = Vec::with_capacity(self.len);
        for frame in self.whole.drain(..) {
            body.extend_from_slice(&frame);
        }
        body.extend_from_slice(&self.small);
        self.small = body;
    }

    fn join(mut self) -> Bytes {
        self.put_together();
        self.small.into()
    }
}

/// Frames that are shorter are not worth a place of their own.
const SMALL: usize = 4 * 1024;
/// In a body that is longer, frames are no longer kept.
const MANY: usize = 4 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[test]
    fn a_long_body_keeps_none_of_the_buffers_it_was_read_into() {
        let buffer = Bytes::from(vec![7; 4 * SMALL]);
        let mut gathered = Gathered::Nothing;
        while gathered.len() <= 2 * MANY {
            gathered.push(buffer.slice(..SMALL));
            let Gathered::Frames(frames) = &gathered else { continue };
            assert!(frames.whole.len() * SMALL <= MANY, "{} frames are kept", frames.whole.len());
            assert_eq!(frames.whole.is_empty(), gathered.len() > MANY);
        }
        assert!(gathered.take().iter().all(|byte| *byte == 7));
        assert!(buffer.is_unique());
    }

    proptest! {
        #[test]
        fn what_comes_out_is_what_went_in(lengths in vec(length(), 0..12)) {
            let mut gathered = Gathered::Nothing;
            let mut expected = Vec::new();
            for (nth, len) in lengths.into_iter().enumerate() {
                let frame = vec![nth as u8; len];
                expected.extend_from_slice(&frame);
                gathered.push(Bytes::from(frame));
                prop_assert_eq!(gathered.len(), expected.len());
            }
            prop_assert_eq!(gathered.take(), expected);
            prop_assert_eq!(gathered.len(), 0);
        }
    }

    fn length() -> impl Strategy<Value = usize> {
        prop_oneof![8 => 0..3_usize, 8 => 4_000..4_200_usize, 8 => 9_000..9_010_usize, 1 => MANY - 9_000..MANY]
    }
}
