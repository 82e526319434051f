//! Counts how often a thread reads the clock, by taking libc's place as `clock_gettime` in the program that links this.

use std::cell::Cell;

/// How often this thread read the clock while `code` ran; `None` where that cannot be counted.
pub fn count(code: impl FnOnce()) -> Option<u64> {
    let before = READS.get();
    code();
    taken::is_linked().then(|| READS.get() - before)
}

thread_local! {
    static READS: Cell<u64> = const { Cell::new(0) };
}

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod taken {
    use std::{ffi::c_int, hint::black_box};

    use rustix::time::{ClockId, Timespec};

    use super::READS;

    // Only what is used is linked, and then it is what std finds.
    pub(super) fn is_linked() -> bool {
        black_box(clock_gettime as *const ()) as usize != 0
    }

    // SAFETY: the name, the types and what it promises are those of libc.
    #[unsafe(no_mangle)]
    extern "C" fn clock_gettime(id: c_int, now: *mut Timespec) -> c_int {
        READS.set(READS.get() + 1);
        let Ok(id) = ClockId::try_from(id) else { return -1 };
        // SAFETY: whoever calls libc hands over a place to write to.
        unsafe { now.write(rustix::time::clock_gettime(id)) };
        0
    }
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod taken {
    pub(super) fn is_linked() -> bool {
        false
    }
}
