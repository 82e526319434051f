use trysail_core::{Cause, Class};

use crate::permit::Permit;

/// What a call needs to know of a circuit, in one word that is read without a lock.
///
/// It is a summary of the machine, written only by who holds the machine's lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PackedState {
    /// Calls pass; whether a success changes anything but the counts, whether it is counted, and whether it matters
    /// how long a call takes.
    Closed { generation: u32, minds_success: bool, counts: bool, times: bool },
    /// Calls are refused until then, in milliseconds of the circuit's clock.
    Shut { until_ms: u64, probing: bool, cause: Cause, class: Option<Class> },
    /// Calls are refused until somebody says otherwise.
    Forced,
    /// Calls pass uncounted.
    Disabled,
}

impl PackedState {
    /// Whether calls pass and are counted, as nearly always.
    #[inline]
    pub(crate) const fn is_closed(word: u64) -> bool {
        word & KIND == 0
    }

    /// The permit of a call that passes and that nobody times, as nearly always.
    #[inline]
    pub(crate) const fn permit(word: u64) -> Option<Permit> {
        if word & (KIND | TIMES) == 0 { Some(Permit::new((word >> GENERATION_AT) as u32, 0)) } else { None }
    }

    /// If a success changes nothing but the counts: whether it is counted.
    #[inline]
    pub(crate) const fn at_rest(word: u64, permit: Permit) -> Option<bool> {
        // A probe is of a generation in which its circuit is not closed.
        if word & !COUNTS == permit.place() << GENERATION_AT { Some(word & COUNTS != 0) } else { None }
    }

    /// Until when calls are refused, in milliseconds of the circuit's clock.
    pub(crate) const fn refuses_until(self) -> u64 {
        match self {
            Self::Closed { .. } | Self::Disabled => 0,
            Self::Shut { until_ms, .. } => until_ms,
            Self::Forced => u64::MAX,
        }
    }

    #[inline]
    pub(crate) const fn pack(self) -> u64 {
        match self {
            Self::Closed { generation, minds_success, counts, times } => {
                let flags = if minds_success { MINDS_SUCCESS } else { 0 }
                    | if counts { COUNTS } else { 0 }
                    | if times { TIMES } else { 0 };
                (generation as u64) << GENERATION_AT | flags
            }
            Self::Shut { until_ms, probing, cause, class } => {
                let class = match class {
                    Some(class) => class.index() as u64,
                    None => NO_CLASS,
                };
                let until_ms = if until_ms > UNTIL_MAX { UNTIL_MAX } else { until_ms };
                until_ms << 10 | class << 6 | (cause.index() as u64) << 3 | (probing as u64) << 2 | 1
            }
            Self::Forced => 2,
            Self::Disabled => 3,
        }
    }

    #[inline]
    pub(crate) const fn unpack(word: u64) -> Self {
        match word & KIND {
            0 => Self::Closed {
                generation: (word >> GENERATION_AT) as u32,
                minds_success: word & MINDS_SUCCESS != 0,
                counts: word & COUNTS != 0,
                times: word & TIMES != 0,
            },
            1 => Self::Shut {
                until_ms: word >> 10,
                probing: word >> 2 & 1 == 1,
                cause: Cause::ALL[(word >> 3 & 7) as usize],
                class: match word >> 6 & 15 {
                    NO_CLASS => None,
                    class => Some(Class::ALL[class as usize]),
                },
            },
            2 => Self::Forced,
            _ => Self::Disabled,
        }
    }
}

const KIND: u64 = 3;
const MINDS_SUCCESS: u64 = 4;
const COUNTS: u64 = 8;
const TIMES: u64 = 16;
const GENERATION_AT: u32 = 5;
const NO_CLASS: u64 = 15;
const UNTIL_MAX: u64 = u64::MAX >> 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_into_the_word_comes_out() {
        let mut states = vec![PackedState::Forced, PackedState::Disabled];
        for generation in [0, 1, u32::MAX] {
            for flags in 0..8 {
                let [minds_success, counts, times] = [1, 2, 4].map(|flag| flags & flag != 0);
                states.push(PackedState::Closed { generation, minds_success, counts, times });
            }
        }
        for cause in Cause::ALL {
            for class in Class::ALL.map(Some).into_iter().chain([None]) {
                for until_ms in [0, 1, UNTIL_MAX] {
                    states.extend([false, true].map(|probing| PackedState::Shut { until_ms, probing, cause, class }));
                }
            }
        }
        for state in states {
            assert_eq!(PackedState::unpack(state.pack()), state);
        }
    }
}
