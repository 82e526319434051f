use crate::{
    callgrind::{self, Counts},
    case::{Answer, Case},
    cases,
    contention::{self, Nanoseconds, ROUNDS},
    table::{self, Table},
};

/// What each case costs, around both kinds of answer.
pub(crate) struct Overhead(Vec<Row>);

/// What one case costs.
pub(crate) struct Row {
    pub(crate) case: &'static Case,
    pub(crate) answer: Answer,
    pub(crate) counts: Counts,
    /// What the layers add to the instructions of the bare service.
    pub(crate) added: f64,
    pub(crate) future: usize,
    /// Where time was measured.
    pub(crate) time: Option<Nanoseconds>,
}

impl Overhead {
    pub(crate) fn measure() -> Result<Self, String> {
        let mut overhead = Self::count("")?;
        let stacks: Vec<_> = overhead.0.iter().map(|row| (row.case.make)(row.answer)).collect();
        for (row, time) in overhead.0.iter_mut().zip(contention::medians(&stacks)) {
            row.time = Some(time);
        }
        Ok(overhead)
    }

    /// Without times: the cases whose names hold `only`, and what they are compared with.
    pub(crate) fn count(only: &str) -> Result<Self, String> {
        callgrind::check()?;
        let cases = cases::ALL.iter().filter(|case| case.is_bare() || case.name.contains(only));
        let cases: Vec<_> = cases.flat_map(|case| Answer::ALL.map(|answer| (case, answer))).collect();
        let mut rows: Vec<Row> = Vec::new();
        for (case, answer) in cases {
            eprintln!("counting: {}, {}", case.name, answer.name());
            let counts = callgrind::per_call(&format!("{}, {}", case.name, answer.name()), CALLS)?;
            let bare = rows.iter().find(|row| row.case.name == case.bare && row.answer == answer);
            let added = counts.instructions - bare.map_or(counts, |row| row.counts).instructions;
            rows.push(Row { case, answer, counts, added, future: (case.make)(answer).future, time: None });
        }
        Ok(Self(rows))
    }

    pub(crate) fn row(&self, case: &str, answer: Answer) -> Option<&Row> {
        self.rows(answer).find(|row| row.case.name == case)
    }

    pub(crate) fn rows(&self, answer: Answer) -> impl Iterator<Item = &Row> {
        self.0.iter().filter(move |row| row.answer == answer)
    }

    pub(crate) fn tables(&self) -> Vec<Table> {
        vec![
            self.table("Overhead, ready", &self.about(), Answer::Ready),
            self.table("Overhead, pending", "The same around a service that is pending once.", Answer::Pending),
        ]
    }

    fn about(&self) -> String {
        let counted = format!(
            "Around a service that is ready at once. Counted by callgrind over {CALLS} calls from two places by turns: \
             instructions a call, what the case adds to the bare service, locked instructions, allocations, clock \
             readings (each a system call under valgrind, so the instructions of the clock itself are not seen). Then \
             the size of the future of a call, without what it boxes."
        );
        if !self.is_timed() {
            return counted;
        }
        format!(
            "{counted} Then nanoseconds a call, alone and in each of two threads that share the state: medians of \
             {ROUNDS} rounds in which all cases take turns. A call that has to wait for a lock is polled again when its \
             thread has let others run."
        )
    }

    fn is_timed(&self) -> bool {
        self.0.iter().all(|row| row.time.is_some())
    }

    fn table(&self, title: &str, about: &str, answer: Answer) -> Table {
        let columns =
            ["case", "instructions", "added", "locked", "allocations", "clock", "future B", "ns", "ns, 2 threads"];
        let columns = if self.is_timed() { &columns[..] } else { &columns[..7] };
        let mut table = Table::new(title, about, columns);
        table.rows.extend(self.rows(answer).map(|row| {
            let Counts { instructions, locked, allocations, clock_reads, .. } = row.counts;
            let mut cells = vec![row.case.name.to_owned(), format!("{instructions:.0}"), format!("{:+.0}", row.added)];
            cells.extend([locked, allocations, clock_reads].map(|count| table::short(count, 2)));
            cells.push(row.future.to_string());
            cells.extend(row.time.iter().flat_map(|time| [time.alone, time.shared]).map(|time| format!("{time:.1}")));
            cells
        }));
        table
    }
}

/// What callgrind runs by the name of a case and an answer.
pub(crate) fn run(name: &str) -> Option<impl Fn(u64)> {
    let (case, answer) = name.rsplit_once(", ")?;
    let answer = Answer::ALL.into_iter().find(|known| known.name() == answer)?;
    let stack = (cases::ALL.iter().find(|known| known.name == case)?.make)(answer);
    Some(move |calls| _ = (stack.calls)(calls))
}

const CALLS: u32 = 10_000;
