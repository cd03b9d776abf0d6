//! What happened on a connection, counted for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// Something that happened on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// A call ended with its result.
    CallAnswered,
    /// A call ended with the typed error of whoever was asked.
    CallRefused,
    /// A call ended because nobody listens, or whoever accepted fell silent.
    CallUnanswered,
    /// A call ended at its deadline.
    CallExpired,
    /// A call ended because the broker did not take it.
    CallFailed,
    /// A request was sent again after another attempt.
    Retry,
    /// A request was not sent again: the retry budget was spent.
    RetryDenied,
    /// A reply came after its call had ended.
    LateReply,
    /// A request was answered with a result.
    RequestAnswered,
    /// A request was worked on and answered with a typed error.
    RequestFailed,
    /// A request was refused: all credits were in use.
    RefusedOverloaded,
    /// A request was refused: the instance is leaving.
    RefusedDraining,
    /// A request was refused: its deadline had passed on arrival.
    RefusedExpired,
    /// A request came again, and was not worked on again.
    Duplicate,
    /// The broker was lost.
    Disconnected,
    /// A subscription was full, and messages were dropped.
    MessagesDropped,
}

impl Happening {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::CallAnswered,
        Self::CallRefused,
        Self::CallUnanswered,
        Self::CallExpired,
        Self::CallFailed,
        Self::Retry,
        Self::RetryDenied,
        Self::LateReply,
        Self::RequestAnswered,
        Self::RequestFailed,
        Self::RefusedOverloaded,
        Self::RefusedDraining,
        Self::RefusedExpired,
        Self::Duplicate,
        Self::Disconnected,
        Self::MessagesDropped,
    ];
}

/// How often each has happened since the connection was made.
#[derive(Debug, Default)]
pub(crate) struct Tally([AtomicU64; Happening::ALL.len()]);

impl Tally {
    pub(crate) fn count(&self, what: Happening) {
        self.0[what as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn of(&self, what: Happening) -> u64 {
        self.0[what as usize].load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_counted_for_itself() {
        let tally = Tally::default();
        for (number, what) in Happening::ALL.into_iter().enumerate() {
            assert_eq!(what as usize, number);
            (0..=number).for_each(|_| tally.count(what));
        }
        for (number, what) in Happening::ALL.into_iter().enumerate() {
            assert_eq!(tally.of(what), number as u64 + 1);
        }
    }
}
