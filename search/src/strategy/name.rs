//! The strategies by name.

use std::fmt;
use std::str::FromStr;

use super::Strategy;
use super::fixed::FixedOrder;
use super::greybox::{Greybox, StopRule};
use crate::error::Error;
use crate::observation::CutFacts;
use crate::space::Space;

/// A strategy, as settings and commands name it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum StrategyName {
    /// A model of the stages, and what it expects to improve the front most.
    #[default]
    Greybox,
    /// The corners and every cut at the highest settings.
    Line,
    /// A random order.
    Random,
    /// Everything.
    Grid,
}

impl StrategyName {
    /// Every one, the default first.
    pub const ALL: [Self; 4] = [Self::Greybox, Self::Line, Self::Random, Self::Grid];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Greybox => "greybox",
            Self::Line => "line",
            Self::Random => "random",
            Self::Grid => "grid",
        }
    }

    /// The strategy for a space. `facts` are of the cuts, in the order of the knob's values, or empty; `stop` is for
    /// those that can tell when more is not worth its price.
    ///
    /// # Errors
    /// None yet.
    pub fn build(
        self,
        space: &Space,
        facts: &[CutFacts],
        seed: u64,
        stop: Option<StopRule>,
    ) -> Result<Box<dyn Strategy>, Error> {
        Ok(match self {
            Self::Greybox => Box::new(Greybox::new(space, facts, seed, stop)),
            Self::Line => Box::new(FixedOrder::line(space)),
            Self::Random => Box::new(FixedOrder::random(space, seed)),
            Self::Grid => Box::new(FixedOrder::grid(space)),
        })
    }
}

impl fmt::Display for StrategyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for StrategyName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let known = || Self::ALL.map(Self::as_str).join(", ");
        let named = Self::ALL.into_iter().find(|name| name.as_str() == text);
        named.ok_or_else(|| Error::UnknownStrategy { name: text.to_owned(), known: known() })
    }
}
