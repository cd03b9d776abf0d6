//! What can go wrong here.

use std::fmt;
use std::path::PathBuf;

use crate::knob::{Knob, UnreadableValue};
use crate::strategy::StrategyName;

/// A space, a pool or a search that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A knob's list of values is unusable.
    #[error("the knob {knob} needs between 1 and {most} values, none of them twice")]
    KnobValues {
        /// The knob.
        knob: Knob,
        /// The longest list.
        most: usize,
    },
    /// A knob has two lists.
    #[error("the knob {knob} is declared twice")]
    KnobTwice {
        /// The knob.
        knob: Knob,
    },
    /// The product of the lists is beyond what can be enumerated.
    #[error("the knobs make more than {most} combinations: declare fewer values")]
    TooManyCombinations {
        /// The most.
        most: u64,
    },
    /// No combination of values is legal.
    #[error("no configuration of this space is legal: its rules exclude every combination of its values")]
    EmptySpace,
    /// A knob has none of the wanted values on these machines.
    #[error("the knob {knob} is wanted at {wanted}, and the machines offer {offered}")]
    NotOffered {
        /// The knob.
        knob: Knob,
        /// What the space declares.
        wanted: String,
        /// What there is.
        offered: String,
    },
    /// A value that its knob cannot have.
    #[error(transparent)]
    Value(#[from] UnreadableValue),
    /// There are more configurations than a strategy that looks at every one can hold.
    #[error(
        "the strategy {strategy} looks at every configuration, and there are more than {most}: \
         declare fewer values, or take nsga3"
    )]
    SpaceTooLarge {
        /// The strategy.
        strategy: StrategyName,
        /// The most.
        most: usize,
    },
    /// A space file that cannot be understood.
    #[error("{file}{place}: {problem}", place = place.map(|place| place.to_string()).unwrap_or_default())]
    SpaceFile {
        /// The file, or the preset.
        file: String,
        /// Where in it.
        place: Option<TextPlace>,
        /// What is wrong.
        problem: String,
    },
    /// No preset has that name.
    #[error("there is no preset {name:?}; there are {known}")]
    UnknownPreset {
        /// What was asked for.
        name: String,
        /// The presets.
        known: String,
    },
    /// No strategy has that name.
    #[error("there is no strategy {name:?}; there are {known}")]
    UnknownStrategy {
        /// What was asked for.
        name: String,
        /// The strategies.
        known: String,
    },
    /// A file that cannot be read.
    #[error("cannot read {}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A pool that cannot be used.
    #[error("{}{}: {problem}", file.display(), place_of(*line, column.as_deref()))]
    Pool {
        /// The file.
        file: PathBuf,
        /// Where, from 1.
        line: Option<u64>,
        /// The column's name, where a single value is meant.
        column: Option<String>,
        /// What is wrong and what to do.
        problem: String,
    },
}

/// The place of a row or of a value in it, in words.
fn place_of(line: Option<u64>, column: Option<&str>) -> String {
    let line = line.map(|line| format!(", line {line}"));
    let column = column.map(|column| format!(", column {column:?}"));
    line.into_iter().chain(column).collect()
}

/// A place in a text, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextPlace {
    /// The line.
    pub line: usize,
    /// The character in it.
    pub column: usize,
}

impl TextPlace {
    /// Of the character at so many bytes; beyond the end, of the end.
    pub fn of(text: &str, bytes: usize) -> Self {
        let before = text.get(..bytes).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        let column = before[line_start..].chars().count() + 1;
        Self { line: before.matches('\n').count() + 1, column }
    }
}

impl fmt::Display for TextPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ", line {}, column {}", self.line, self.column)
    }
}
