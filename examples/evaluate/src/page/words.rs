//! What stands between the figures.

use crate::storm::Kind;

pub(super) const FAULT_REASONS: &[(&str, &str)] = &[
    (
        "errors-50",
        ", since at 50 % of errors the circuit opens: the server is spared, and calls are refused that might have come \
         through",
    ),
    (
        "outage",
        ", since an open circuit asks again after 5 to 15 s only, and refuses calls until then, also when the server is \
         back",
    ),
    (
        "rate-limit-silent-4-processes",
        ", since each process finds a rate of its own, from refusals that the others cause as well: together they may find \
         less than there is, and a call whose turn would come after its minute is refused at once",
    ),
    (
        "quota",
        ", since after two such answers nobody is asked for 30 s, then for longer, also when it has been paid for, unless \
         `reset` says so",
    ),
    (
        "slow",
        ", which waits for as long as it takes; with a limit of time, the best are ahead by little more than a point: an open \
         circuit refuses calls also when the server is back, and the throttle, which knows no limit here and has had few calls \
         in flight, lets no more than a few go at once",
    ),
];

pub(super) const REAL_REASONS: &[(&str, &str)] = &[
    (
        "503:10,500:10,reset:10",
        ", since the budget of a process that has just begun has room for three retries, and the run is short; litellm \
         repeats what its own client has repeated",
    ),
    (
        "down:5s@5s",
        ", since the circuit stays open for longer than the outage, and the run is short: others ask again and again until \
         the server is back",
    ),
];

pub(super) const GOAL: &str = "\
**Where the throttle misses its goal**, which is to use 90 % of what an account has with 3 % of the requests refused at \
most, or 97 % and 0.5 % where answers say what is left.";

/// By a part of the job's name.
pub(super) const LIMIT_REASONS: &[(&str, &str)] = &[
    ("half of them", ", since a limit that becomes less is noticed when calls are refused"),
    (
        "processes",
        ", since the processes know nothing of each other; with Redis they share what there is, which is not a part of this \
         page",
    ),
    ("windows", ", since nothing says when a window ends, and what comes back all at once is found by asking"),
    ("the last minute", ", since what was used comes back as it was used, in bursts, and not at the rate of the limit"),
];

pub(super) const STORM_REASONS: &[(Kind, &str)] = &[
    (Kind::Sheds, ": what is shed counts as a failure, so half of it opens the circuit for 5 s"),
    (Kind::Lifo, ": what is left unanswered opens the circuits of some, which ask again after 5 to 15 s only"),
    (
        Kind::Replicas,
        ": a retry that finds a healthy replica costs nothing, so the budget does not hold back what keeps the others at \
         their limit, and what opens the circuit is all that relieves them",
    ),
];

pub(super) const INTRODUCTION: &str = "\
Calls through ours and through what people would use instead, all under the same faults from the same seed, on a clock \
that jumps from event to event. Ours is the code that ships, with its default settings. Every figure on this page, the \
plots and the rows in [evaluation/](evaluation) are written by

```sh
cargo run --release -p evaluate -- all --write docs
```

and can be had one by one: `evaluate storm --clients 100 --policy trysail --server fifo`, `evaluate faults --scenario \
outage`, `evaluate limits`, `evaluate jitter`, each with `--json` and `--seed`. A test repeats a part of it and compares.
";

pub(super) const STORM: &str = "\
## Storm: seconds until the server has recovered

```sh
cargo run --release -p evaluate -- storm
```

![Answers a second through a storm: ours, tower's budget, that of AWS, and no retries](evaluation/storm.svg)

For 1, 10, 100 and 700 processes that share 700 calls a second. `fifo` has one queue and drops from 1,000 a second to \
300; `sheds` answers 503 to what would wait for more than 0.1 s; `lifo` serves first what came last; `half` drops to 500; \
of `replicas` there are ten, with a queue each, of which four stand still.
";

pub(super) const FAULTS: &str = "\
## Faults

```sh
cargo run --release -p evaluate -- faults
```

![Calls that succeed by the share of requests that fail](evaluation/errors.svg)

![Requests a second to a server that is down for 30 s](evaluation/outage.svg)

10,000 calls each, ten a second unless said; a healthy answer takes 50 ms, 20 at least. Every policy gives an attempt 5 s, \
also those whose default is longer or none; `unprotected` has no limit. Tries: `by-hand` and `openai-python` three, the \
others four; `trysail` is `Preset::interactive`, for jobs and batches `Preset::bulk`; `trysail-patient` is `bulk` with 60 s \
for a call; `trysail-without-throttle` is `interactive` but for its throttle. What a caller waited for is counted to the answer or the error. In trouble as a whole, a server is \"dead\"; it \
has recovered with the first good answer of which 19 of the next 20 are as good. Rows marked * ran on the clock of the \
machine, 20 times as fast, since their breaker reads that one: their times are coarse, and differ from run to run.
";

pub(super) const REAL: &str = "
```sh
cargo run --release -p evaluate -- --real --json faults > docs/evaluation/real.jsonl
```

";

pub(super) const RATE_LIMITS: &str = "
```sh
cargo run --release -p evaluate -- limits
```

Where nothing is known of a provider, the first calls are few, and become more with what is answered: what is refused when \
the first bucket is empty is a part of it then, however many callers there are. What refills all at once, in windows, is \
found out by asking again and again until it is there; nothing else says when that is, so more is refused than of buckets.

";

pub(super) const REAL_RATE_LIMITS: &str = "
```sh
cargo run --release -p evaluate -- --real --json limits > docs/evaluation/limits-real.jsonl
```

";

pub(super) const JITTER: &str = "\
## Jitter: milliseconds until the last of so many clients is done, and writes that were tried

```sh
cargo run --release -p evaluate -- jitter
```

The model of AWS's article on exponential backoff and jitter: they contend for one row with optimistic locking, each until \
it has written once, 10 ms ± 2 away. Our backoffs, from 5 ms on, x 2, up to 2 s; means of 100 runs.
";

pub(super) const LIMITS: &str = "\
## Limits of the models

- One server and one kind of trouble at a time; a real one has several, and a cache, a balancer and an autoscaler before it.
- Calls come by themselves, whatever happens. People who wait for an answer ask less when it is late.
- A server that is slow here works on for callers who have gone. Many notice, and have less to catch up with.
- The policies of others in `storm` are models of what they publish, but for tower's budget, which is tower's own code; it \
grants a little more than its settings say (compare `finagle-20-percent`). With 700 processes, the budget of AWS recovers \
later here than in the table that the others agree with.
- `openai-python` and `async-openai` are their rules in our loop, not the clients themselves. tower's and tower-resilience's \
layers are the real ones.
- The times of the network are those of a model. What the layers cost by themselves is on the page on \
[performance](performance.md).
";
