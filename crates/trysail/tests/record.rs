//! What a recorder hands on.

use std::{
    future::pending,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use tower::{ServiceBuilder, ServiceExt, service_fn};
use trysail::{
    Class, Failure, RetryLayer, TimeoutLayer, Verdict,
    record::{Exchange, Recorder, Stage},
};

type Judged = Failure<(), io::Error>;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn every_attempt_and_the_call_are_recorded_with_what_came_of_them() {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&kept);
    let recorder = Recorder::new("har\tbour", move |exchange: &Exchange| sink.lock().unwrap().push(exchange.clone()));
    let asked = Arc::new(AtomicU32::new(0));
    let server = service_fn(move |(): ()| {
        let tried = asked.fetch_add(1, Relaxed);
        async move {
            let failed = |verdict| Err(Judged::unanswered(verdict, io::ErrorKind::ConnectionReset.into()));
            match tried {
                0 => pending().await,
                1 => failed(Verdict::THROTTLED.after(2 * SECOND)),
                _ => Ok(()),
            }
        }
    });
    let service = ServiceBuilder::new()
        .layer(recorder.calls())
        .layer(RetryLayer::new([SECOND; 2]))
        .layer(TimeoutLayer::new(5 * SECOND))
        .layer(recorder.attempts())
        .service(server);
    service.oneshot(()).await.unwrap();

    let kept = kept.lock().unwrap();
    let seen: Vec<_> = kept.iter().map(|exchange| (exchange.stage(), exchange.class())).collect();
    let attempt = |class| (Stage::Attempt, class);
    assert_eq!(
        seen,
        [
            attempt(None),
            attempt(Some(Class::Throttled)),
            attempt(Some(Class::Success)),
            (Stage::Call, Some(Class::Success))
        ]
    );
    assert_eq!(kept[0].latency(), 5 * SECOND);
    assert_eq!(kept[1].at(), 6 * SECOND);
    assert_eq!(kept[1].retry_after(), Some(2 * SECOND));
    assert_eq!(kept[3].at(), Duration::ZERO);
    assert!(kept[3].latency() >= 8 * SECOND);
    for exchange in &*kept {
        assert_eq!(exchange.key(), "har bour");
        let micros = |duration: Duration| duration.as_micros();
        let again: Exchange = exchange.to_string().parse().unwrap();
        assert_eq!((again.stage(), again.class(), again.key()), (exchange.stage(), exchange.class(), exchange.key()));
        assert_eq!(micros(again.latency()), micros(exchange.latency()));
    }
}

#[test]
fn a_line_that_is_none_names_its_field() {
    for (line, field) in [
        ("", "time"),
        ("-1\tcall\tm\tsuccess\t1\t-", "time"),
        ("nan\tcall\tm\tsuccess\t1\t-", "time"),
        ("1\tcalls\tm\tsuccess\t1\t-", "stage"),
        ("1\tcall", "key"),
        ("1\tcall\tm\tfine\t1\t-", "outcome"),
        ("1\tcall\tm\tdropped\tinf\t-", "latency"),
        ("1\tcall\tm\tdropped\t1", "hint"),
        ("1\tcall\tm\tdropped\t1\tsoon", "hint"),
        ("1\tcall\tm\tdropped\t1\t-\t7", "seventh"),
    ] {
        let error = line.parse::<Exchange>().unwrap_err();
        assert!(error.to_string().contains(field), "{line}: {error}");
    }
    let longest = "1e18\tcall\tm\tdropped\t1e-9\t-".parse::<Exchange>();
    assert!(longest.is_err(), "more than the clock can say");
}
