//! What a replay must reach: `within>=0.95`.

use std::fmt;
use std::str::FromStr;

use schemas::{Joules, Millis, Share};

use super::tally::{Quantiles, ReplayFigures};

/// A figure of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Figure {
    Within,
    Answered,
    Accuracy,
    Mean,
    P50,
    P90,
    P95,
    P99,
    P999,
    Max,
    Rate,
    Energy,
}

const FIGURES: [(&str, Figure); 12] = [
    ("within", Figure::Within),
    ("answered", Figure::Answered),
    ("accuracy", Figure::Accuracy),
    ("mean", Figure::Mean),
    ("p50", Figure::P50),
    ("p90", Figure::P90),
    ("p95", Figure::P95),
    ("p99", Figure::P99),
    ("p99.9", Figure::P999),
    ("max", Figure::Max),
    ("rate", Figure::Rate),
    ("energy", Figure::Energy),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    AtLeast,
    AtMost,
    Above,
    Below,
}

/// The longer signs first, so that `>=` is not read as `>`.
const SIGNS: [(&str, Comparison); 4] = [
    (">=", Comparison::AtLeast),
    ("<=", Comparison::AtMost),
    (">", Comparison::Above),
    ("<", Comparison::Below),
];

/// A bound on one figure of a replay. Shares are 0 to 1, latencies in ms (answered requests, from when they were due), energy in J a
/// request, the rate in requests a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Requirement {
    figure: Figure,
    comparison: Comparison,
    bound: f64,
}

/// A text that is no requirement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no requirement: use FIGURE>=NUMBER (or <=, >, <) with one of within, answered, accuracy (0 to 1), mean, p50, p90, p95, \
     p99, p99.9, max (ms), rate (requests a second), energy (J)"
)]
pub struct InvalidRequirement(String);

impl Requirement {
    /// What is missing; `None` when it is met. A figure that is not known meets nothing.
    pub fn missed(&self, figures: &ReplayFigures) -> Option<String> {
        let Some(found) = self.value(figures) else {
            return Some(format!("{self} is required, and it is not known"));
        };
        let met = match self.comparison {
            Comparison::AtLeast => found >= self.bound,
            Comparison::AtMost => found <= self.bound,
            Comparison::Above => found > self.bound,
            Comparison::Below => found < self.bound,
        };
        (!met).then(|| format!("{self} is required, and it is {found:.4}"))
    }

    fn value(&self, figures: &ReplayFigures) -> Option<f64> {
        let latency = |of: fn(&Quantiles) -> Millis| figures.latency.as_ref().map(|all| of(all).get());
        match self.figure {
            // Of no request no share is known.
            Figure::Within => (figures.requests > 0).then(|| figures.within.get()),
            Figure::Answered => (figures.requests > 0).then(|| figures.answered_share.get()),
            Figure::Accuracy => figures.accuracy.map(Share::get),
            Figure::Mean => latency(|all| all.mean),
            Figure::P50 => latency(|all| all.p50),
            Figure::P90 => latency(|all| all.p90),
            Figure::P95 => latency(|all| all.p95),
            Figure::P99 => latency(|all| all.p99),
            Figure::P999 => latency(|all| all.p999),
            Figure::Max => latency(|all| all.max),
            Figure::Rate => Some(figures.rate),
            Figure::Energy => figures.energy.as_ref().map(|energy| energy.joules).map(Joules::get),
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = FIGURES.iter().find(|(_, figure)| *figure == self.figure).map_or("", |(name, _)| name);
        let sign = SIGNS.iter().find(|(_, sign)| *sign == self.comparison).map_or("", |(sign, _)| sign);
        write!(f, "{name}{sign}{}", self.bound)
    }
}

impl FromStr for Requirement {
    type Err = InvalidRequirement;

    fn from_str(text: &str) -> Result<Self, InvalidRequirement> {
        let parse = || {
            let (sign, comparison) = SIGNS.into_iter().find(|(sign, _)| text.contains(sign))?;
            let (name, bound) = text.split_once(sign)?;
            let figure = FIGURES.into_iter().find(|(known, _)| *known == name.trim())?.1;
            let bound = bound.trim().parse::<f64>().ok().filter(|bound| bound.is_finite())?;
            Some(Self { figure, comparison, bound })
        };
        parse().ok_or_else(|| InvalidRequirement(text.chars().take(64).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::tally::Tally;

    #[test]
    fn requirements_are_read_as_they_are_written() {
        for text in ["within>=0.95", "p99.9<=120", "energy<0.5", "rate>10"] {
            assert_eq!(text.parse::<Requirement>().unwrap().to_string(), text);
        }
        assert_eq!(" within >= .95".parse::<Requirement>().unwrap().to_string(), "within>=0.95");
        for text in ["", "within", "within>=", "within>=NaN", "within==1", "p42<=1", ">=1"] {
            assert!(text.parse::<Requirement>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_figure_that_is_not_known_meets_nothing() {
        let nothing = Tally::new().figures();
        for text in ["within>=0", "answered>=0", "p95<=1e9", "energy<=1e9", "accuracy>=0"] {
            let missed = text.parse::<Requirement>().unwrap().missed(&nothing);
            assert!(missed.is_some_and(|missed| missed.contains("not known")), "{text}");
        }
    }

    #[test]
    fn bounds() {
        let figures = ReplayFigures {
            requests: 10,
            within: Share::saturating(0.9),
            answered_share: Share::saturating(1.0),
            rate: 5.0,
            ..Tally::new().figures()
        };
        for (text, met) in [
            ("within>=0.9", true),
            ("within>0.9", false),
            ("within<=0.9", true),
            ("within<0.9", false),
            ("answered>=1", true),
            ("rate>=6", false),
        ] {
            assert_eq!(text.parse::<Requirement>().unwrap().missed(&figures).is_none(), met, "{text}");
        }
    }
}
