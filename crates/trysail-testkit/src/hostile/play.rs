use std::{future::pending, io, iter::repeat_n, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy, repeat},
    net::tcp::WriteHalf,
    time::sleep,
};

use super::Trick;

/// What comes after an answer.
pub(super) enum Next {
    Request,
    Fin,
    Reset,
}

/// Answers one request.
pub(super) async fn play(trick: Trick, line: &mut WriteHalf<'_>) -> io::Result<Next> {
    match trick {
        Trick::NeverAcceptsSyn | Trick::NeverAnswers => pending().await,
        Trick::HeadThenSilence => {
            head(line, ANSWER.len() as u64).await?;
            pending().await
        }
        Trick::Answers => answer(line, []).await,
        Trick::AnswersAfter(pause) => {
            sleep(pause).await;
            answer(line, []).await
        }
        Trick::OneByteEvery(pause) => answer(line, repeat_n(pause, ANSWER.len())).await,
        Trick::Gaps(gaps) => answer(line, gaps.iter().copied()).await,
        Trick::ResetInBody => half(line).await.map(|()| Next::Reset),
        Trick::FinInBody => half(line).await.map(|()| Next::Fin),
        Trick::ResetBeforeAnswer => Ok(Next::Reset),
        Trick::FinBeforeAnswer => Ok(Next::Fin),
        Trick::HugeBody(length) => {
            head(line, length).await?;
            copy(&mut repeat(0).take(length), line).await?;
            Ok(Next::Request)
        }
        Trick::EndlessBody => {
            line.write_all(format!("{START}transfer-encoding: chunked\r\n\r\n").as_bytes()).await?;
            endless(line, &format!("{:x}\r\n{ANSWER}\r\n", ANSWER.len())).await
        }
        Trick::EndlessHead => {
            line.write_all(START.as_bytes()).await?;
            endless(line, "x-more: and more\r\n").await
        }
        Trick::EndlessContinue => endless(line, "HTTP/1.1 100 Continue\r\n\r\n").await,
    }
}

async fn head(line: &mut WriteHalf<'_>, length: u64) -> io::Result<()> {
    line.write_all(format!("{START}content-length: {length}\r\n\r\n").as_bytes()).await
}

/// Sends the right answer, its body in a piece after each of the `gaps`; without gaps, at once.
async fn answer<I>(line: &mut WriteHalf<'_>, gaps: I) -> io::Result<Next>
where
    I: IntoIterator<Item = Duration, IntoIter: ExactSizeIterator>,
{
    let (gaps, mut sent) = (gaps.into_iter(), 0);
    let pieces = gaps.len();
    head(line, ANSWER.len() as u64).await?;
    for (piece, gap) in gaps.enumerate() {
        sleep(gap).await;
        let end = ANSWER.len() * (piece + 1) / pieces;
        line.write_all(&ANSWER.as_bytes()[sent..end]).await?;
        sent = end;
    }
    line.write_all(&ANSWER.as_bytes()[sent..]).await?;
    Ok(Next::Request)
}

/// Sends the right answer up to the middle of its body.
async fn half(line: &mut WriteHalf<'_>) -> io::Result<()> {
    head(line, ANSWER.len() as u64).await?;
    line.write_all(&ANSWER.as_bytes()[..ANSWER.len() / 2]).await?;
    // What is sent before a connection breaks has to arrive first.
    sleep(Duration::from_millis(20)).await;
    Ok(())
}

/// Repeats `words` for as long as the client takes them.
async fn endless(line: &mut WriteHalf<'_>, words: &str) -> io::Result<Next> {
    let block = words.repeat(BLOCK.div_ceil(words.len()));
    loop {
        line.write_all(block.as_bytes()).await?;
    }
}

const START: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
const ANSWER: &str = r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.6,-0.8]}],"model":"hostile","usage":{"prompt_tokens":1,"total_tokens":1}}"#;
const BLOCK: usize = 16 * 1024;
