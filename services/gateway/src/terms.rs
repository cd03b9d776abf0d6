//! What a client may ask for besides its input, by name: in headers, in a query, in the parameters of the Open Inference
//! Protocol. Pure.

use std::borrow::Cow;
use std::str::FromStr;

use schemas::{Cut, Fault, FaultKind, Millis, PolicyName, Share, UnixMillis};

use crate::admission::{Asked, Wishes};

/// One thing to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term {
    /// The latency limit in milliseconds, above 0.
    LatencyMs,
    /// `soft`: run it as well as can be (the default); `hard`: refuse it when nothing is likely to keep the limit.
    Limit,
    /// How much less energy counts than a shorter time within the limit, 0 (the fastest) to 1 (the least energy).
    EnergyWeight,
    /// The least accuracy of the configuration, as a share, 0 to 1.
    AccuracyFloor,
    /// The least cut: the layers before it run on the edge, so that the picture and early features stay there.
    LeastCut,
    /// The deadline in milliseconds since the Unix epoch.
    Deadline,
    /// The policy's name.
    Policy,
}

impl Term {
    /// Every term.
    pub const ALL: [Self; 7] = [
        Self::LatencyMs,
        Self::Limit,
        Self::EnergyWeight,
        Self::AccuracyFloor,
        Self::LeastCut,
        Self::Deadline,
        Self::Policy,
    ];

    /// Its name in a query and among parameters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LatencyMs => "latency_ms",
            Self::Limit => "limit",
            Self::EnergyWeight => "energy_weight",
            Self::AccuracyFloor => "accuracy_floor",
            Self::LeastCut => "least_cut",
            Self::Deadline => "deadline",
            Self::Policy => "policy",
        }
    }

    /// Its header, over NATS and HTTP.
    pub const fn header(self) -> &'static str {
        match self {
            Self::LatencyMs => "Splinter-Latency-Ms",
            Self::Limit => "Splinter-Limit",
            Self::EnergyWeight => "Splinter-Energy-Weight",
            Self::AccuracyFloor => "Splinter-Accuracy-Floor",
            Self::LeastCut => "Splinter-Least-Cut",
            Self::Deadline => "Splinter-Deadline",
            Self::Policy => "Splinter-Policy",
        }
    }

    /// The names of all, for errors.
    pub fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    fn refuse(self, text: &str, expected: &str) -> Fault {
        // The start of a foreign text, so that an error stays short.
        let excerpt: String = text.chars().take(32).collect();
        Fault::new(FaultKind::BadRequest, format!("{} {excerpt:?} is not {expected}", self.name()))
    }
}

/// Reads the terms, each from the text that `of` has for it; refuses what cannot be one, by its name.
pub fn read<'a>(of: impl Fn(Term) -> Option<Cow<'a, str>>) -> Result<Asked, Fault> {
    let qos = Wishes {
        latency_ms: number(Term::LatencyMs, &of, "a number of milliseconds above 0", |ms| {
            Millis::new(ms).ok()
        })?,
        limit: term(Term::Limit, &of, "soft or hard", |text| text.parse().ok())?,
        energy_weight: number(Term::EnergyWeight, &of, "a number from 0 to 1", |share| {
            Share::new(share).ok()
        })?,
        accuracy_floor: number(Term::AccuracyFloor, &of, "a number from 0 to 1", |share| {
            Share::new(share).ok()
        })?,
        least_cut: term(Term::LeastCut, &of, "the number of a cut", |text| text.parse().ok().map(Cut))?,
    };
    let deadline = "a whole number of unix milliseconds";
    let policy = of(Term::Policy).map(|text| PolicyName::from_str(text.trim())).transpose();
    Ok(Asked {
        qos,
        policy: policy.map_err(|error| Fault::new(FaultKind::BadRequest, error.to_string()))?,
        deadline: term(Term::Deadline, &of, deadline, |text| text.parse().ok().map(UnixMillis))?,
    })
}

fn term<'a, Value>(
    term: Term,
    of: &impl Fn(Term) -> Option<Cow<'a, str>>,
    expected: &str,
    read: impl Fn(&str) -> Option<Value>,
) -> Result<Option<Value>, Fault> {
    let Some(text) = of(term) else { return Ok(None) };
    read(text.trim()).map(Some).ok_or_else(|| term.refuse(&text, expected))
}

fn number<'a, Value>(
    name: Term,
    of: &impl Fn(Term) -> Option<Cow<'a, str>>,
    expected: &str,
    read: impl Fn(f64) -> Option<Value>,
) -> Result<Option<Value>, Fault> {
    term(name, of, expected, |text| text.parse().ok().and_then(&read))
}

#[cfg(test)]
mod tests;
