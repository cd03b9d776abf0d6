//! What the states of a link are drawn from.

use std::fmt;
use std::str::FromStr;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use schemas::{Bandwidth, LinkState, Millis};

use super::LinkTrace;
use crate::error::LoadgenError;

/// The states of one link trace at most: what a Markov process may fill a file with.
const MOST_STATES: usize = 1_000_000;

/// How a link changes. A state is written `MBIT/RTT_MS`, such as `590/2.3`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum LinkProcess {
    /// `constant:STATE`
    Constant(LinkState),
    /// `steps:STATE@SECONDS,…`: each state from its time on.
    Steps(Vec<(Millis, LinkState)>),
    /// `markov:STATE,STATE,…;stay_s=10`: stays in a state for an exponentially distributed time, then goes to any other,
    /// each as likely. It begins in the first.
    Markov {
        /// The states, at least two.
        states: Vec<LinkState>,
        /// Mean seconds in a state.
        stay_s: f64,
    },
}

/// A text that is no link process.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{problem} (a link is constant:MBIT/RTT_MS, steps:MBIT/RTT_MS@SECONDS,… or markov:MBIT/RTT_MS,…;stay_s=SECONDS)"
)]
pub struct InvalidLinkProcess {
    problem: String,
}

impl LinkProcess {
    /// The states of so long a time, the same from the same seed on every machine.
    pub fn trace(&self, duration: Millis, seed: u64) -> Result<LinkTrace, LoadgenError> {
        match self {
            Self::Constant(state) => LinkTrace::new(vec![(Millis::ZERO, *state)]),
            Self::Steps(states) => LinkTrace::new(states.clone()),
            Self::Markov { states, stay_s } => markov(states, *stay_s, duration, seed),
        }
    }
}

fn markov(states: &[LinkState], stay_s: f64, duration: Millis, seed: u64) -> Result<LinkTrace, LoadgenError> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut now, mut current) = (Millis::ZERO, 0);
    let mut passed = Vec::new();
    while now < duration {
        if passed.len() == MOST_STATES {
            let problem =
                format!("it would change more than {MOST_STATES} times: stay longer, or end sooner");
            return Err(LoadgenError::InvalidLink(problem));
        }
        passed.push((now, states[current]));
        // A microsecond at least, so that times rise.
        let stay = (-libm::log(1.0 - random.random::<f64>()) * stay_s * 1e3).max(1e-3);
        now += Millis::saturating(stay);
        // Any of the others.
        current = (current + random.random_range(1..states.len())) % states.len();
    }
    LinkTrace::new(passed)
}

impl FromStr for LinkProcess {
    type Err = InvalidLinkProcess;

    fn from_str(text: &str) -> Result<Self, InvalidLinkProcess> {
        read(text).map_err(|problem| InvalidLinkProcess { problem })
    }
}

fn read(text: &str) -> Result<LinkProcess, String> {
    let (name, rest) = text.split_once(':').ok_or("a name and a colon are missing")?;
    match name {
        "constant" => state(rest).map(LinkProcess::Constant),
        "steps" => {
            let steps = rest.split(',').map(|step| {
                let (value, begin) =
                    step.split_once('@').ok_or_else(|| format!("{step:?} says not when: STATE@SECONDS"))?;
                let seconds =
                    number(begin, 0.0, 3.2e7).ok_or_else(|| format!("{begin:?} is no time in seconds"))?;
                Ok((Millis::saturating(seconds * 1e3), state(value)?))
            });
            steps.collect::<Result<_, String>>().map(LinkProcess::Steps)
        }
        "markov" => {
            let (states, options) = rest.split_once(';').unwrap_or((rest, "stay_s=10"));
            let states = states.split(',').map(state).collect::<Result<Vec<_>, _>>()?;
            let stay_s = options.trim().strip_prefix("stay_s=").and_then(|text| number(text, 1e-3, 3.2e7));
            let stay_s = stay_s.ok_or_else(|| format!("{options:?} is not stay_s=SECONDS"))?;
            if states.len() < 2 {
                return Err("a Markov process needs two states".into());
            }
            Ok(LinkProcess::Markov { states, stay_s })
        }
        other => Err(format!("there is no link process {other:?}")),
    }
}

fn state(text: &str) -> Result<LinkState, String> {
    let wrong =
        || format!("{text:?} is no state: MBIT/RTT_MS, with 0.001 to 1000000 Mbit/s and 0 to 60000 ms");
    let (bandwidth, rtt) = text.trim().split_once('/').ok_or_else(wrong)?;
    Ok(LinkState {
        bandwidth_mbit: Bandwidth::saturating(number(bandwidth, 0.001, 1e6).ok_or_else(wrong)?),
        rtt_ms: Millis::saturating(number(rtt, 0.0, 60_000.0).ok_or_else(wrong)?),
    })
}

fn number(text: &str, least: f64, greatest: f64) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|value| (least..=greatest).contains(value))
}

impl fmt::Display for LinkProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = |state: &LinkState| format!("{}/{}", state.bandwidth_mbit.get(), state.rtt_ms.get());
        match self {
            Self::Constant(only) => write!(f, "constant:{}", state(only)),
            Self::Steps(steps) => {
                let steps: Vec<String> =
                    steps.iter().map(|(at, of)| format!("{}@{}", state(of), at.get() / 1e3)).collect();
                write!(f, "steps:{}", steps.join(","))
            }
            Self::Markov { states, stay_s } => {
                let states: Vec<String> = states.iter().map(state).collect();
                write!(f, "markov:{};stay_s={stay_s}", states.join(","))
            }
        }
    }
}
