//! The rule of two: one value far off is taken for a hiccup, the second of its kind in a row for a change.

/// What the last value was, compared with what was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Surprise {
    /// About as expected, or the second of its kind, which is followed.
    #[default]
    None,
    /// Far above.
    Above,
    /// Far below.
    Below,
}

impl Surprise {
    /// Takes note of the next value, and says whether it is the second of its kind: a change.
    pub(crate) fn follow(&mut self, next: Self) -> bool {
        let is_change = next != Self::None && next == *self;
        *self = if is_change { Self::None } else { next };
        is_change
    }
}
