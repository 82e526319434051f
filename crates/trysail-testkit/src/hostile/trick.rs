use std::time::Duration;

/// The one way in which a server misbehaves.
///
/// Where there is a right answer, it is a 200 whose body lists one short embedding, with a `content-length`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trick {
    /// A connect hangs: the queue of connections to accept is full and stays so.
    NeverAcceptsSyn,
    /// Reads the request and stays silent.
    NeverAnswers,
    /// Sends the head of the right answer, then nothing.
    HeadThenSilence,
    /// Sends the head at once, and each byte of the body after a pause.
    OneByteEvery(Duration),
    /// Resets the connection in the middle of the body.
    ResetInBody,
    /// Closes the connection in the middle of the body.
    FinInBody,
    /// Resets the connection once it has the request.
    ResetBeforeAnswer,
    /// Closes the connection once it has the request.
    FinBeforeAnswer,
    /// Sends a chunked body without end, as fast as the client reads.
    EndlessBody,
    /// Sends a body of so many zero bytes, as declared.
    HugeBody(u64),
    /// Sends a 200 and headers without end, as fast as the client reads.
    EndlessHead,
    /// Sends `100 Continue` for ever, as fast as the client reads.
    EndlessContinue,
    /// Sends the right answer.
    Answers,
    /// Sends the right answer after a pause.
    AnswersAfter(Duration),
    /// Sends the head at once, and the body in as many pieces as there are gaps, each after its gap.
    Gaps(&'static [Duration]),
}
