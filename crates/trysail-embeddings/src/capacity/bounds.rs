/// How much a server takes in one request, by what it has named, answered and refused.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bounds {
    named: Option<usize>,
    /// The largest that was answered.
    passed: usize,
    /// The smallest that was too much.
    failed: Option<usize>,
    /// Between the two, and sent to find out.
    tried: Option<usize>,
    /// How often the largest was answered since more was refused.
    passes: u32,
}

impl Bounds {
    /// The server has said what it takes.
    pub(crate) fn name(&mut self, limit: usize) {
        let limit = limit.max(1);
        self.named = Some(self.named.map_or(limit, |named| named.min(limit)));
    }

    pub(crate) const fn named(&self) -> Option<usize> {
        self.named
    }

    /// So much was answered; what speaks against it was an accident.
    pub(crate) fn pass(&mut self, size: usize) {
        self.passed = self.passed.max(size);
        self.named = self.named.filter(|named| *named >= size);
        self.failed = self.failed.filter(|failed| *failed > size);
        self.tried = self.tried.filter(|tried| *tried > size);
        self.passes += u32::from(size == self.passed);
        if self.passes == PATIENCE {
            // Who refused it may be another server by now, or have had another reason.
            self.failed = self.failed.map(|failed| failed.saturating_add((failed / 2).max(1)));
            self.passes = 0;
        }
    }

    /// So much was refused for its size.
    pub(crate) fn fail(&mut self, size: usize) {
        self.failed = Some(self.failed.map_or(size, |failed| failed.min(size)));
        if self.passed >= size {
            self.passed = size / 2;
        }
        self.tried = self.tried.filter(|tried| *tried < size);
        self.passes = 0;
    }

    /// It was one input's fault, and not the size.
    pub(crate) fn pardon(&mut self) {
        (self.failed, self.tried) = (None, None);
    }

    /// How much to send next. Where nothing is named it closes in on the limit, one try at a time.
    pub(crate) fn next(&mut self) -> usize {
        let named = self.named.unwrap_or(usize::MAX);
        let Some(failed) = self.failed else { return named };
        let passed = self.passed.max(1);
        let gap = failed.saturating_sub(passed);
        if self.tried.is_some() || gap <= (passed / 4).max(1) {
            return passed.min(named);
        }
        let middle = passed + gap / 2;
        self.tried = Some(middle);
        middle.min(named)
    }

    /// How much each part of something of that size should hold, if that is known.
    pub(crate) fn part_of(&self, size: usize) -> usize {
        // What was answered before may have been small for want of more.
        let known = |failed: &usize| *failed <= size && self.passed.saturating_mul(8) >= size;
        self.failed.filter(known).map_or(usize::MAX, |_| self.passed)
    }

    /// The largest that was not too much yet.
    pub(crate) fn most(&self) -> usize {
        self.failed.map_or(usize::MAX, |failed| failed.saturating_sub(1).max(1))
    }
}

/// After so many answers a little more is tried again.
const PATIENCE: u32 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    /// How many requests it takes to find out what a server takes, and where that ends.
    fn search(limit: usize) -> (usize, usize) {
        let mut bounds = Bounds::default();
        let mut refused = 0;
        let mut size = 64;
        loop {
            if size > limit {
                refused += 1;
                bounds.fail(size);
            } else {
                bounds.pass(size);
            }
            let next = bounds.next().min(64);
            if next == size {
                return (refused, size);
            }
            size = next;
        }
    }

    #[test]
    fn it_closes_in_on_what_is_not_named() {
        for limit in 1..=64 {
            let (refused, size) = search(limit);
            assert!(size <= limit && limit - size <= size / 4, "{limit}: {size}");
            assert!(refused <= 8, "{limit}: {refused}");
        }
    }

    #[test]
    fn what_is_named_is_kept_to_until_more_is_answered() {
        let mut bounds = Bounds::default();
        assert_eq!(bounds.next(), usize::MAX);
        bounds.name(32);
        bounds.name(10);
        assert_eq!((bounds.next(), bounds.named()), (10, Some(10)));
        bounds.pass(11);
        assert_eq!(bounds.next(), usize::MAX);
    }

    #[test]
    fn an_accident_is_forgotten() {
        let mut bounds = Bounds::default();
        bounds.pass(64);
        bounds.fail(64);
        assert_eq!(bounds.next(), 48);
        assert_eq!(bounds.next(), 32, "one try at a time");
        bounds.pass(64);
        assert_eq!(bounds.next(), usize::MAX);
        bounds.fail(8);
        bounds.pardon();
        assert_eq!(bounds.next(), usize::MAX);
    }
}
