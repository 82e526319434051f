use std::time::Duration;

use tokio::time::{Instant, timeout};
use tower_service::Service;
use trysail_testkit::{Scripted, scripted::Step};

#[tokio::test(start_paused = true)]
async fn calls_follow_the_script_across_clones() {
    let second = Duration::from_secs(1);
    let mut service =
        Scripted::new([Step::Answer(Ok(1)), Step::Answer(Err("no")), Step::After(second, Ok(2)), Step::Hang]);
    let mut clone = service.clone();
    assert_eq!(service.call("a").await, Ok(1));
    assert_eq!(clone.call("b").await, Err("no"));
    let start = Instant::now();
    assert_eq!(service.call("c").await, Ok(2));
    assert_eq!(start.elapsed(), second);
    assert!(timeout(1_000 * second, clone.call("d")).await.is_err());
    assert_eq!(service.calls(), 4);
    assert_eq!(clone.requests(), ["a", "b", "c", "d"]);
}

#[tokio::test(start_paused = true)]
async fn results_are_steps() {
    let mut service = Scripted::<(), _, _>::new([Ok(1), Err("no")]);
    assert_eq!(service.call(()).await, Ok(1));
    assert_eq!(service.call(()).await, Err("no"));
}

#[test]
#[should_panic = "the script has a step for each call"]
fn a_call_too_many_panics() {
    drop(Scripted::<(), (), ()>::new([(); 0].map(Ok)).call(()));
}
