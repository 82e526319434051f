use std::time::Duration;

use trysail_testkit::{Plan, faults::Fault};

#[test]
fn a_plan_is_written_as_it_is_read() {
    for text in [
        "",
        "503:10,429:5,hang:2,reset:3,truncated:2",
        "500:1,502:1,503:1,504:1,529:1,408:1,429:1,429-bare:1,quota:1,401:1,403:1,400-too-long:1,404-model:1,hang:1,\
         reset:1,reset-body:1,stall:1,drip:1,slow:1,truncated:1,cut:1,wrong-count:1,duplicate:1,nan:1,shuffled:1,\
         html:1,empty:1",
        "429=1.5s:5,slow=2s:1,drip=7ms:1,down:2s@5s,down:500ms@1.25s",
        "reset:100",
        "503:10,429=1.5s#1,reset#3,down:2s@5s",
    ] {
        let plan: Plan = text.parse().unwrap();
        assert_eq!(plan.to_string(), text);
        assert_eq!(plan.to_string().parse(), Ok(plan));
    }
    assert_eq!(" 503 :1".parse::<Plan>().unwrap_err().to_string().split(':').next(), Some("`503 "));
    assert_eq!("429=50ms:5, hang:1,".parse::<Plan>().unwrap().to_string(), "429:5,hang:1");
}

#[test]
fn an_error_says_what_to_write() {
    for (text, wanted) in [
        (
            "503",
            "`503` is no fault: write `name:percent`, `name#2` for the second request, or `down:2s@5s` for an outage",
        ),
        ("503#0", "`503#0` has no number: write 1 for the first request behind the hash"),
        ("503#", "`503#` has no number: write 1 for the first request behind the hash"),
        ("503:x", "`503:x` has no share of the requests: write 0 to 100 behind the colon"),
        ("503:-1", "`503:-1` has no share of the requests: write 0 to 100 behind the colon"),
        ("503:101", "`503:101` has no share of the requests: write 0 to 100 behind the colon"),
        ("429=soon:5", "`429=soon:5` has no duration: write `50ms`, `1.5s`, or `2s@5s` for an outage"),
        ("down:2s", "`down:2s` has no duration: write `50ms`, `1.5s`, or `2s@5s` for an outage"),
        ("down:-2s@1s", "`down:-2s@1s` has no duration: write `50ms`, `1.5s`, or `2s@5s` for an outage"),
        ("hang=1s:5", "`hang=1s:5` takes no duration: only 429, drip and slow do"),
        ("hang:60,503:41", "`hang:60,503:41` fails 101 percent of the requests, which is more than all"),
    ] {
        assert_eq!(text.parse::<Plan>().unwrap_err().to_string(), wanted);
    }
    let unknown = "teapot:1".parse::<Plan>().unwrap_err().to_string();
    assert!(unknown.starts_with("`teapot:1` names no fault: there are 500, 502, 503,"), "{unknown}");
    assert!(unknown.ends_with("html, empty and down"), "{unknown}");
}

#[test]
fn shares_are_kept_over_many_requests() {
    let plan: Plan = "503:10,hang:30".parse().unwrap();
    for seed in 0..5 {
        let plan = plan.clone().seeded(seed);
        let count = |fault| (0..20_000).filter(|&ordinal| plan.fault(ordinal) == fault).count();
        assert!((1_800..2_200).contains(&count(Some(Fault::Status(503)))));
        assert!((5_700..6_300).contains(&count(Some(Fault::Hang))));
        assert!((11_700..12_300).contains(&count(None)));
    }
}

#[test]
fn the_seed_and_the_number_decide() {
    let plan: Plan = "503:50".parse().unwrap();
    let draws = |seed| (0..64).map(|ordinal| plan.clone().seeded(seed).fault(ordinal)).collect::<Vec<_>>();
    assert_eq!(draws(1), draws(1));
    assert_ne!(draws(1), draws(2));
    assert_ne!(draws(1)[1..], draws(2)[..63], "seeds are no offsets");
}

#[test]
fn all_or_nothing_is_exact() {
    let (all, none): (Plan, Plan) = ("reset:100".parse().unwrap(), "reset:0".parse().unwrap());
    assert!((0..1_000).all(|ordinal| all.fault(ordinal) == Some(Fault::Reset)));
    assert!((0..1_000).all(|ordinal| none.fault(ordinal).is_none()));
}

#[test]
fn a_numbered_fault_meets_that_request_and_no_other() {
    let plan: Plan = "reset#1,503#3".parse().unwrap();
    let drawn: Vec<_> = (0..5).map(|ordinal| plan.fault(ordinal)).collect();
    assert_eq!(drawn, [Some(Fault::Reset), None, Some(Fault::Status(503)), None, None]);
    let among: Plan = "hang:100,503#2".parse().unwrap();
    assert_eq!([0, 1, 2].map(|ordinal| among.fault(ordinal)), [Fault::Hang, Fault::Status(503), Fault::Hang].map(Some));
}

#[test]
fn an_outage_begins_and_ends() {
    let plan: Plan = "down:2s@5s,down:1s@10s".parse().unwrap();
    for (second, down) in [(0, false), (4, false), (5, true), (6, true), (7, false), (10, true), (11, false)] {
        assert_eq!(plan.is_down(Duration::from_secs(second)), down, "{second}");
    }
}

#[test]
fn a_storm_is_a_plan_among_others() {
    let storm: Plan = "storm".parse().unwrap();
    assert_eq!("storm, down:2s@5s".parse::<Plan>().unwrap().to_string(), format!("{storm},down:2s@5s"));
    let failing = (0..10_000).filter(|ordinal| !matches!(storm.fault(*ordinal), None | Some(Fault::Slow(_)))).count();
    assert!((2_300..2_700).contains(&failing), "{failing} of 10,000");
}
