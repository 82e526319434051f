use trysail_core::{Cause, Class};

/// What a call needs to know of a circuit, in one word that is read without a lock.
///
/// It is a summary of the machine, written only by who holds the machine's lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PackedState {
    /// Calls pass; whether a success changes anything but the counts.
    Closed { generation: u32, minds_success: bool },
    /// Calls are refused until then, in milliseconds of the circuit's clock.
    Shut { until_ms: u64, probing: bool, cause: Cause, class: Option<Class> },
    /// Calls are refused until somebody says otherwise.
    Forced,
    /// Calls pass uncounted.
    Disabled,
}

impl PackedState {
    /// The generation, if calls pass and are counted, as nearly always.
    #[inline]
    pub(crate) const fn closed(word: u64) -> Option<u32> {
        if word & 3 == 0 { Some((word >> 3) as u32) } else { None }
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
            Self::Closed { generation, minds_success } => (generation as u64) << 3 | (minds_success as u64) << 2,
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
        match word & 3 {
            0 => Self::Closed { generation: (word >> 3) as u32, minds_success: word >> 2 & 1 == 1 },
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

const NO_CLASS: u64 = 15;
const UNTIL_MAX: u64 = u64::MAX >> 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_into_the_word_comes_out() {
        let mut states = vec![PackedState::Forced, PackedState::Disabled];
        for generation in [0, 1, u32::MAX] {
            states.extend([false, true].map(|minds_success| PackedState::Closed { generation, minds_success }));
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
