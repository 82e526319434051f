use crate::{
    callgrind::{self, Counts},
    case::Answer,
    cases,
    contention::{self, Nanoseconds, ROUNDS},
    table::{self, Table},
};

/// What each case costs, around both kinds of answer.
pub(crate) struct Overhead(Vec<Row>);

/// What one case costs.
pub(crate) struct Row {
    pub(crate) case: &'static str,
    pub(crate) answer: Answer,
    pub(crate) counts: Counts,
    /// What the layers add to the instructions of the bare service.
    pub(crate) added: f64,
    pub(crate) future: usize,
    pub(crate) time: Nanoseconds,
}

impl Overhead {
    pub(crate) fn measure() -> Result<Self, String> {
        callgrind::check()?;
        let both = [Answer::Ready, Answer::Pending];
        let cases: Vec<_> = both.iter().flat_map(|&answer| cases::ALL.iter().map(move |case| (case, answer))).collect();
        let stacks: Vec<_> = cases.iter().map(|(case, answer)| case.stack(*answer)).collect();
        let times = contention::medians(&stacks);
        let mut rows: Vec<Row> = Vec::new();
        for (((case, answer), stack), time) in cases.into_iter().zip(stacks).zip(times) {
            eprintln!("counting: {}, {}", case.name, answer.name());
            let counts = callgrind::per_call(&format!("{}, {}", case.name, answer.name()), CALLS)?;
            let bare = rows.iter().find(|row| row.answer == answer).map_or(counts, |row| row.counts);
            let added = counts.instructions - bare.instructions;
            rows.push(Row { case: case.name, answer, counts, added, future: stack.future, time });
        }
        Ok(Self(rows))
    }

    pub(crate) fn row(&self, case: &str, answer: Answer) -> Option<&Row> {
        self.rows(answer).find(|row| row.case == case)
    }

    pub(crate) fn rows(&self, answer: Answer) -> impl Iterator<Item = &Row> {
        self.0.iter().filter(move |row| row.answer == answer)
    }

    pub(crate) fn tables(&self) -> Vec<Table> {
        let ready = format!(
            "Around a service that is ready at once. Counted by callgrind over {CALLS} calls: instructions a call, what \
             the case adds to the bare service, locked instructions, allocations, clock readings (each a system call \
             under valgrind, so the instructions of the clock itself are not seen). Then the size of the future of a \
             call, without what it boxes, and nanoseconds a call, alone and in each of two threads that share the \
             state: medians of {ROUNDS} rounds in which all cases take turns. A call that has to wait for a lock is polled \
             again when its thread has let others run."
        );
        let pending = "The same around a service that is pending once.";
        vec![
            self.table("Overhead, ready", &ready, Answer::Ready),
            self.table("Overhead, pending", pending, Answer::Pending),
        ]
    }

    fn table(&self, title: &str, about: &str, answer: Answer) -> Table {
        let columns =
            ["case", "instructions", "added", "locked", "allocations", "clock", "future B", "ns", "ns, 2 threads"];
        let mut table = Table::new(title, about, &columns);
        table.rows.extend(self.rows(answer).map(|row| {
            let Counts { instructions, locked, allocations, clock_reads, .. } = row.counts;
            let mut cells = vec![row.case.to_owned(), format!("{instructions:.0}"), format!("{:+.0}", row.added)];
            cells.extend([locked, allocations, clock_reads].map(|count| table::short(count, 2)));
            cells.extend([row.future.to_string(), format!("{:.1}", row.time.alone), format!("{:.1}", row.time.shared)]);
            cells
        }));
        table
    }
}

/// What callgrind runs by the name of a case and an answer.
pub(crate) fn run(name: &str) -> Option<impl Fn(u64)> {
    let (case, answer) = name.rsplit_once(", ")?;
    let answer = [Answer::Ready, Answer::Pending].into_iter().find(|known| known.name() == answer)?;
    let stack = cases::ALL.iter().find(|known| known.name == case)?.stack(answer);
    Some(move |calls| _ = (stack.calls)(calls))
}

const CALLS: u32 = 10_000;
