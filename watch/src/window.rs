use std::collections::VecDeque;

use schemas::UnixMillis;

/// Figures "of the last minute" are of so long.
pub const WINDOW_MS: u64 = 60_000;

/// Requests that are kept for them: at more than 166 a second the window is shorter, and says so.
pub const GREATEST_WINDOW: usize = 10_000;

/// What was heard in the last minute.
#[derive(Debug, Clone)]
pub struct LastMinute<Item>(VecDeque<(UnixMillis, Item)>);

impl<Item> Default for LastMinute<Item> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<Item> LastMinute<Item> {
    /// Takes one in; beyond ten thousand the oldest is forgotten.
    pub fn push(&mut self, at: UnixMillis, item: Item) {
        self.0.push_back((at, item));
        if self.0.len() > GREATEST_WINDOW {
            self.0.pop_front();
        }
    }

    /// Lets time pass: what is older than a minute is forgotten.
    pub fn pass(&mut self, now: UnixMillis) {
        while self.0.front().is_some_and(|(at, _)| crate::is_old(*at, now, WINDOW_MS)) {
            self.0.pop_front();
        }
    }

    /// What is kept, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Item> {
        self.0.iter().map(|(_, item)| item)
    }

    /// How long ago the oldest that is kept came, in ms; `None` when nothing is.
    pub fn reaches_back(&self, now: UnixMillis) -> Option<u64> {
        self.0.front().map(|(at, _)| now.0.saturating_sub(at.0))
    }

    /// Whether as much is kept as may be: then the minute may be shorter than one.
    pub fn is_full(&self) -> bool {
        self.0.len() == GREATEST_WINDOW
    }
}
