//! One call through a service, as small as a program can be that makes it.

use std::{
    env,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use tower::{BoxError, Service, ServiceExt, service_fn};

/// For one attempt.
pub const ATTEMPT: Duration = Duration::from_secs(20);
/// For the whole call.
pub const OVERALL: Duration = Duration::from_secs(60);
/// Before the first retry.
pub const FIRST: Duration = Duration::from_millis(100);

/// Fails as often as the program has arguments, which no compiler can know.
pub fn flaky() -> impl Service<usize, Response = usize, Error = BoxError, Future: Send> + Clone {
    static CALLS: AtomicUsize = AtomicUsize::new(1);
    service_fn(async |request| {
        let call = CALLS.fetch_add(1, Relaxed);
        if call < env::args().count() { Err("not yet".into()) } else { Ok(request + call) }
    })
}

/// Calls `service` once.
///
/// # Errors
///
/// If the service does.
pub fn call<S>(service: S) -> Result<(), BoxError>
where
    S: Service<usize, Response = usize, Error = BoxError>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    println!("{}", runtime.block_on(service.oneshot(1))?);
    Ok(())
}
