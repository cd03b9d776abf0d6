//! The strategies by name.

use std::fmt;
use std::str::FromStr;

use super::fixed::FixedOrder;
use super::genetic::{Algorithm, Genetic, Settings};
use super::greybox::Greybox;
use super::{StopRule, Strategy};
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
    /// NSGA-III from the corners of the space.
    Nsga3,
    /// NSGA-II from the corners of the space.
    Nsga2,
    /// SPEA-2 from the corners of the space.
    Spea2,
    /// AGE-MOEA from the corners of the space.
    AgeMoea,
    /// The search of the DynaSplit paper: NSGA-III with its settings, a fifth of the space.
    Dynasplit,
    /// The corners and every cut at the highest settings.
    Line,
    /// A random order.
    Random,
    /// Everything.
    Grid,
}

/// The most configurations that are looked at one by one for every measurement: a minute for some tens of them.
const MOST_MODELLED: usize = 200_000;
/// The most configurations that are held in a list.
const MOST_LISTED: usize = 5_000_000;

impl StrategyName {
    /// Every one, the default first.
    pub const ALL: [Self; 9] = [
        Self::Greybox,
        Self::Nsga3,
        Self::Nsga2,
        Self::Spea2,
        Self::AgeMoea,
        Self::Dynasplit,
        Self::Line,
        Self::Random,
        Self::Grid,
    ];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Greybox => "greybox",
            Self::Nsga3 => "nsga3",
            Self::Nsga2 => "nsga2",
            Self::Spea2 => "spea2",
            Self::AgeMoea => "age-moea",
            Self::Dynasplit => "dynasplit",
            Self::Line => "line",
            Self::Random => "random",
            Self::Grid => "grid",
        }
    }

    /// The strategy for a space. `facts` are of the cuts, in the order of the knob's values, or empty; `stop` is for
    /// those that can tell when more is not worth its price.
    ///
    /// # Errors
    /// The space is too large for a strategy that looks at all of it.
    pub fn build(
        self,
        space: &Space,
        facts: &[CutFacts],
        seed: u64,
        stop: Option<StopRule>,
    ) -> Result<Box<dyn Strategy>, Error> {
        let most = match self {
            Self::Greybox => Some(MOST_MODELLED),
            Self::Random | Self::Grid => Some(MOST_LISTED),
            _ => None,
        };
        if let Some(most) = most.filter(|&most| space.candidates().nth(most).is_some()) {
            return Err(Error::SpaceTooLarge { strategy: self, most });
        }
        let genetic = |settings: Settings| Box::new(Genetic::new(space, settings, seed));
        Ok(match self {
            Self::Greybox => Box::new(Greybox::new(space, facts, seed, stop)),
            Self::Nsga3 => genetic(Settings::steady(Algorithm::Nsga3)),
            Self::Nsga2 => genetic(Settings::steady(Algorithm::Nsga2)),
            Self::Spea2 => genetic(Settings::steady(Algorithm::Spea2)),
            Self::AgeMoea => genetic(Settings::steady(Algorithm::AgeMoea)),
            Self::Dynasplit => genetic(Settings::dynasplit(space)),
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

#[cfg(test)]
mod tests {
    use super::StrategyName;
    use crate::knob::{Knob, Value};
    use crate::space::Space;

    #[test]
    fn strategies_are_named() {
        for name in StrategyName::ALL {
            assert_eq!(name.as_str().parse::<StrategyName>().unwrap(), name);
            assert_eq!(name.to_string(), name.as_str());
        }
        let error = "nsga4".parse::<StrategyName>().unwrap_err().to_string();
        assert!(error.contains("nsga4") && error.contains("age-moea"), "{error}");
        assert_eq!(StrategyName::default(), StrategyName::Greybox);
    }

    #[test]
    fn what_looks_at_everything_refuses_too_much() {
        let cuts = (0..9_999).map(|cut| Value::Cut(schemas::Cut(cut))).collect();
        let accelerators =
            |count: usize| (0..count).map(|name| Value::Accelerator(name.to_string())).collect();
        let knobs = vec![(Knob::Cut, cuts), (Knob::EdgeAccelerator, accelerators(30))];
        let space = Space::new(knobs, &[]).unwrap();
        let error = StrategyName::Greybox.build(&space, &[], 1, None).err().unwrap().to_string();
        assert!(error.contains("greybox") && error.contains("200000") && error.contains("nsga3"), "{error}");
        let mut search = StrategyName::Nsga3.build(&space, &[], 1, None).unwrap();
        assert_eq!(search.ask(3).len(), 3);
    }
}
