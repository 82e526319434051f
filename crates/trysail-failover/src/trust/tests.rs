use proptest::{collection::vec, prelude::*};

use super::*;

/// What may happen to a member.
#[derive(Clone, Copy, Debug)]
enum MemberEvent {
    /// A call begins, in so manyth place.
    Asks(usize),
    /// The call in that place ends, and its answer is to be used.
    Answers(usize),
    /// What the check of the call in that place finds.
    Finds(usize, bool),
    Fails,
    Waits(u64),
}

/// As one would say it: what is known, since when, and what has failed since.
#[derive(Clone, Copy, Debug)]
struct NaiveTrust {
    known: Standing,
    passed_over_until: u64,
    failures: u32,
}

fn event() -> impl Strategy<Value = MemberEvent> {
    prop_oneof![
        (0..4_usize).prop_map(MemberEvent::Asks),
        (0..4_usize).prop_map(MemberEvent::Answers),
        (0..4_usize, any::<bool>()).prop_map(|(call, fits)| MemberEvent::Finds(call, fits)),
        Just(MemberEvent::Fails),
        (0..40_u64).prop_map(MemberEvent::Waits),
    ]
}

proptest! {
    #[test]
    fn a_member_is_trusted_as_one_would_say_it(events in vec(event(), 0..60)) {
        const RECHECK: u64 = 30;
        let epoch = Instant::now();
        let at = |secs| epoch + Duration::from_secs(secs);
        let trust = Trust::new();
        let mut naive = NaiveTrust { known: Standing::Unchecked, passed_over_until: 0, failures: 0 };
        let (mut now, mut calls) = (0, [(trust.term(), 0); 4]);
        for event in events {
            match event {
                MemberEvent::Asks(call) => {
                    if naive.known == Standing::Misfit {
                        naive.passed_over_until = now + RECHECK;
                    }
                    calls[call] = (trust.ask(Duration::from_secs(RECHECK), || at(now)), naive.failures);
                }
                MemberEvent::Answers(call) => {
                    let used = naive.known == Standing::Fits && calls[call].1 == naive.failures;
                    prop_assert_eq!(trust.holds(calls[call].0), used);
                }
                MemberEvent::Finds(call, fits) => {
                    let (term, failures) = calls[call];
                    if fits {
                        trust.fits(term);
                    } else {
                        naive.passed_over_until = now + RECHECK;
                        trust.misfits(term, Some(at(now + RECHECK)));
                    }
                    if failures == naive.failures {
                        naive.known = if fits { Standing::Fits } else { Standing::Misfit };
                    }
                }
                MemberEvent::Fails => {
                    naive.known = Standing::Unchecked;
                    naive.failures += 1;
                    trust.shake();
                }
                MemberEvent::Waits(secs) => now += secs,
            }
            prop_assert_eq!(trust.standing(), naive.known);
            let passed_over = naive.known == Standing::Misfit && now < naive.passed_over_until;
            prop_assert_eq!(trust.is_passed_over(|| at(now)), passed_over);
        }
    }
}
