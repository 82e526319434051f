use super::*;

impl Registered for Arc<u32> {
    type Snapshot = u32;

    fn snapshot(&self) -> u32 {
        **self
    }

    fn is_idle(&self) -> bool {
        Self::strong_count(self) == 1
    }
}

fn keys<M: Fn() -> Arc<u32>>(registry: &Registry<u32, Arc<u32>, M>) -> Vec<u32> {
    registry.snapshot().into_iter().map(|(key, _)| key).collect()
}

#[test]
fn room_for_none_is_room_for_one() {
    let registry = Registry::new(0, || Arc::new(0));
    let first = registry.get(&1);
    assert!(Arc::ptr_eq(&first, &registry.get(&1)), "it is remembered");
    drop(first);
    registry.get(&2);
    assert_eq!(keys(&registry), [2]);
}

#[test]
fn those_go_first_that_were_not_asked_for_lately_and_busy_ones_stay() {
    let registry = Registry::new(16, || Arc::new(0));
    let busy = registry.get(&0);
    for key in 1..=16 {
        registry.get(&key);
    }
    for round in 0..100 {
        let asked = *keys(&registry).iter().find(|key| **key != 0).unwrap();
        registry.get(&asked);
        registry.get(&(17 + round));
        let keys = keys(&registry);
        assert!(keys.len() <= 16 && keys.contains(&0) && keys.contains(&asked), "{asked} of {keys:?}");
    }
    drop(busy);
}

#[test]
fn a_closure_chooses_too_and_may_choose_none() {
    fn selected<P: Select<u32, Arc<u32>>>(select: &P, request: u32) -> Option<Arc<u32>> {
        select.keep(select.select(&request))
    }
    let registry = Registry::new(4, || Arc::new(7));
    let keyed = registry.keyed(|request: &u32| request % 2);
    let odd = |request: &u32| (request % 2 == 1).then(|| registry.get(&1));
    let shared = selected(&keyed, 3).expect("each key has one");
    assert!(Arc::ptr_eq(&shared, &selected(&keyed, 5).expect("the same")));
    assert!(Arc::ptr_eq(&shared, &selected(&odd, 7).expect("the same")));
    assert_eq!(selected(&odd, 8), None);
}
