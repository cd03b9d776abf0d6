//! What latency limits are drawn from.

use std::f64::consts::TAU;
use std::fmt;
use std::str::FromStr;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use schemas::Millis;
use serde::Serialize;

use super::GREATEST_MS;
use super::specification::{Specification, positive};

/// A distribution of latency limits. Written `NAME:VALUES` (times in milliseconds), as `Display` does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Limits {
    /// `constant:MS`
    Constant(Millis),
    /// `uniform:LEAST..GREATEST`
    Uniform {
        /// Where it begins.
        least: Millis,
        /// Where it ends.
        greatest: Millis,
    },
    /// `weibull:LEAST..GREATEST`, the paper's: a Weibull distribution of shape 1, shifted and scaled so that the least
    /// limit of the trace becomes `least` and the greatest one `greatest`. Its mean therefore falls as traces grow.
    Weibull {
        /// The trace's least limit.
        least: Millis,
        /// The trace's greatest limit.
        greatest: Millis,
    },
    /// `lognormal:MEDIAN,sigma=0.5`: the logarithm is normal with this standard deviation.
    Lognormal {
        /// Half of the limits lie below.
        median: Millis,
        /// Standard deviation of the natural logarithm, above 0 and at most 5.
        sigma: f64,
    },
    /// `bimodal:LOW,HIGH,share=0.5,spread=0.1`: two lognormal humps.
    Bimodal {
        /// The median of the lower hump.
        low: Millis,
        /// The median of the upper hump.
        high: Millis,
        /// How many of the limits belong to the lower hump, 0 to 1.
        share: f64,
        /// Standard deviation of the natural logarithm in each hump, above 0 and at most 5.
        spread: f64,
    },
}

/// A text that is no distribution.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{problem} (limits are constant:MS, uniform:LEAST..GREATEST, weibull:LEAST..GREATEST, lognormal:MEDIAN,sigma=S or \
     bimodal:LOW,HIGH,share=P,spread=S)"
)]
pub struct InvalidLimits {
    problem: String,
}

impl Limits {
    /// So many limits without anything around them, the same from the same seed on every machine.
    pub fn sequence(self, seed: u64, requests: usize) -> Vec<Millis> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let drawn: Vec<f64> = (0..requests).map(|_| self.draw(&mut random)).collect();
        let extremes = drawn.iter().fold(Extremes::NONE, |extremes, drawn| extremes.with(*drawn));
        drawn.into_iter().map(|drawn| self.limit(drawn, extremes)).collect()
    }

    /// Draws the number that becomes a limit; always as many random numbers, so that one request's limit never moves
    /// another's. For [`Limits::Weibull`] it is a standard exponential, which [`Extremes`] maps to the limits.
    pub(crate) fn draw(self, random: &mut impl Rng) -> f64 {
        let (first, second, third) = (random.random::<f64>(), random.random::<f64>(), random.random::<f64>());
        // Box and Muller; 1 - u lies in (0, 1].
        let normal = || libm::sqrt(-2.0 * libm::log(1.0 - first)) * libm::cos(TAU * second);
        match self {
            Self::Constant(limit) => limit.get(),
            Self::Uniform { least, greatest } => least.get() + (greatest.get() - least.get()) * first,
            Self::Weibull { .. } => -libm::log(1.0 - first),
            Self::Lognormal { median, sigma } => median.get() * libm::exp(sigma * normal()),
            Self::Bimodal { low, high, share, spread } => {
                let median = if third < share { low } else { high };
                median.get() * libm::exp(spread * normal())
            }
        }
    }

    /// The limit that a drawn number becomes, given the extremes of all that were drawn for this distribution.
    pub(crate) fn limit(self, drawn: f64, extremes: Extremes) -> Millis {
        let limit = match self {
            Self::Weibull { least, greatest } => extremes.map(drawn, least, greatest),
            _ => drawn,
        };
        // The humps of lognormal distributions have no end; a limit has.
        Millis::saturating(limit.min(GREATEST_MS))
    }
}

/// The least and the greatest of drawn numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Extremes {
    least: f64,
    greatest: f64,
}

impl Extremes {
    pub(crate) const NONE: Self = Self { least: f64::INFINITY, greatest: f64::NEG_INFINITY };

    pub(crate) fn with(self, drawn: f64) -> Self {
        Self { least: self.least.min(drawn), greatest: self.greatest.max(drawn) }
    }

    /// Maps the least to `least` and the greatest to `greatest` in the very operations of the paper's program (reference
    /// §7), so that every bit is the same. A single number becomes the least.
    pub(crate) fn map(self, drawn: f64, least: Millis, greatest: Millis) -> f64 {
        if self.greatest <= self.least {
            return least.get();
        }
        let scale = (greatest.get() - least.get()) / (self.greatest - self.least);
        let shift = greatest.get() - scale * self.greatest;
        scale * drawn + shift
    }
}

impl FromStr for Limits {
    type Err = InvalidLimits;

    fn from_str(text: &str) -> Result<Self, InvalidLimits> {
        read(text).map_err(|problem| InvalidLimits { problem })
    }
}

fn read(text: &str) -> Result<Limits, String> {
    let mut specification = Specification::new(text);
    let limits = match specification.name {
        "constant" => Limits::Constant(span("limit", specification.text("limit"))?),
        "uniform" => {
            let (least, greatest) = range(specification.text("range"))?;
            Limits::Uniform { least, greatest }
        }
        "weibull" => {
            let (least, greatest) = range(specification.text("range"))?;
            Limits::Weibull { least, greatest }
        }
        "lognormal" => {
            let median = span("median", specification.text("median"))?;
            Limits::Lognormal { median, sigma: deviation("sigma", specification.positive_or("sigma", 0.5)?)? }
        }
        "bimodal" => {
            let (low, high) =
                (span("low", specification.text("low"))?, span("high", specification.text("high"))?);
            let share = specification.positive_or("share", 0.5)?;
            if share >= 1.0 {
                return Err("share lies between 0 and 1".into());
            }
            let spread = deviation("spread", specification.positive_or("spread", 0.1)?)?;
            Limits::Bimodal { low, high, share, spread }
        }
        other => return Err(format!("there are no limits {other:?}")),
    };
    specification.end()?;
    Ok(limits)
}

fn span(key: &str, text: Option<&str>) -> Result<Millis, String> {
    let value = positive(key, text.ok_or_else(|| format!("{key} is missing"))?)?;
    if value > GREATEST_MS {
        return Err(format!("{key} is {value} ms, longer than a year"));
    }
    Ok(Millis::saturating(value))
}

fn range(text: Option<&str>) -> Result<(Millis, Millis), String> {
    let text = text.ok_or("a range LEAST..GREATEST is missing")?;
    let (least, greatest) = text.split_once("..").ok_or("a range is written LEAST..GREATEST")?;
    let (least, greatest) = (span("least", Some(least))?, span("greatest", Some(greatest))?);
    if least > greatest {
        return Err(format!("{least} is more than {greatest}"));
    }
    Ok((least, greatest))
}

fn deviation(key: &str, value: f64) -> Result<f64, String> {
    if value <= 5.0 { Ok(value) } else { Err(format!("{key} is {value}: use at most 5")) }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(limit) => write!(f, "constant:{}", limit.get()),
            Self::Uniform { least, greatest } => write!(f, "uniform:{}..{}", least.get(), greatest.get()),
            Self::Weibull { least, greatest } => write!(f, "weibull:{}..{}", least.get(), greatest.get()),
            Self::Lognormal { median, sigma } => write!(f, "lognormal:{},sigma={sigma}", median.get()),
            Self::Bimodal { low, high, share, spread } => {
                write!(f, "bimodal:{},{},share={share},spread={spread}", low.get(), high.get())
            }
        }
    }
}

#[cfg(test)]
mod tests;
