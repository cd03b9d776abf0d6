//! When requests arrive.

use std::f64::consts::TAU;
use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;

use rand::{Rng, RngExt};
use schemas::Millis;
use serde::Serialize;

use super::specification::Specification;
use super::{GREATEST_MS, Loop};

/// Samples of a query in MLPerf's MultiStream scenario.
const MULTI_STREAM_SAMPLES: NonZeroU32 = NonZeroU32::MIN.saturating_add(7);

/// An arrival process. Written `NAME:VALUES`, as `Display` does; rates are queries a second, times seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Arrivals {
    /// `sequential`: one after the other, as in the paper.
    Sequential,
    /// `single-stream`: MLPerf's SingleStream, the same as [`Arrivals::Sequential`].
    SingleStream,
    /// `multi-stream:SAMPLES`: MLPerf's MultiStream, queries of several requests (8 unless said otherwise), the next one
    /// when every request of the last has ended.
    MultiStream {
        /// Requests of a query.
        samples: NonZeroU32,
    },
    /// `constant:RATE`: at equal distances, as of a camera.
    Constant {
        /// Requests a second.
        rate: f64,
    },
    /// `poisson:RATE`
    Poisson {
        /// Requests a second.
        rate: f64,
    },
    /// `server:RATE`: MLPerf's Server, the same as [`Arrivals::Poisson`].
    Server {
        /// Requests a second.
        rate: f64,
    },
    /// `mmpp:QUIET,BURST,quiet_s=10,burst_s=1`: a Poisson process that changes between two rates, staying in each for
    /// an exponentially distributed time (Markov-modulated).
    Mmpp {
        /// Requests a second while it is quiet.
        quiet: f64,
        /// Requests a second in a burst.
        burst: f64,
        /// Mean seconds of a quiet time.
        quiet_s: f64,
        /// Mean seconds of a burst.
        burst_s: f64,
    },
    /// `diurnal:LOW,HIGH,period_s=86400`: a Poisson process whose rate rises from `low` to `high` and falls again as a
    /// sine does, once a period.
    Diurnal {
        /// Requests a second at the lowest, where the trace begins.
        low: f64,
        /// Requests a second at the highest.
        high: f64,
        /// Seconds of a period.
        period_s: f64,
    },
    /// `offline`: MLPerf's Offline, all at once as one query.
    Offline,
    /// `recorded:FILE,speed=1`: the times of another trace, so many times as fast.
    Recorded {
        /// The other trace.
        file: PathBuf,
        /// How many times as fast.
        speed: f64,
    },
}

/// A text that is no arrival process.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{problem} (arrivals are sequential, constant:RATE, poisson:RATE, mmpp:QUIET,BURST,quiet_s=S,burst_s=S, \
     diurnal:LOW,HIGH,period_s=S, recorded:FILE,speed=F, or MLPerf's single-stream, multi-stream:SAMPLES, server:RATE, \
     offline; rates are requests a second)"
)]
pub struct InvalidArrivals {
    problem: String,
}

impl Arrivals {
    /// How the requests follow each other.
    pub fn pacing(&self) -> Loop {
        match self {
            Self::Sequential | Self::SingleStream | Self::MultiStream { .. } => Loop::Closed,
            _ => Loop::Open,
        }
    }

    /// The arrivals one by one, without end; times never fall. A recorded process begins anew after its last request, at
    /// the mean distance from it.
    pub(crate) fn clock<R: Rng>(&self, random: R, recorded: Vec<(Millis, u64)>) -> Clock<R> {
        Clock { arrivals: self.clone(), random, recorded, count: 0, seconds: 0.0, burst: false, change: None }
    }
}

/// An arrival process at work.
#[derive(Debug)]
pub(crate) struct Clock<R> {
    arrivals: Arrivals,
    random: R,
    recorded: Vec<(Millis, u64)>,
    count: u64,
    seconds: f64,
    burst: bool,
    /// When the modulating state changes next.
    change: Option<f64>,
}

/// When a request arrives, and the query it belongs to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Arrival {
    pub(crate) at: Option<Millis>,
    pub(crate) query: u64,
}

impl<R: Rng> Clock<R> {
    pub(crate) fn next_arrival(&mut self) -> Arrival {
        let position = self.count;
        self.count += 1;
        match self.arrivals {
            Arrivals::Sequential | Arrivals::SingleStream => Arrival { at: None, query: position },
            Arrivals::MultiStream { samples } => {
                Arrival { at: None, query: position / u64::from(samples.get()) }
            }
            Arrivals::Constant { rate } => at(position as f64 / rate, position),
            Arrivals::Poisson { rate } | Arrivals::Server { rate } => {
                self.seconds += self.exponential() / rate;
                at(self.seconds, position)
            }
            Arrivals::Mmpp { quiet, burst, quiet_s, burst_s } => {
                self.modulated((quiet, quiet_s), (burst, burst_s));
                at(self.seconds, position)
            }
            Arrivals::Diurnal { low, high, period_s } => {
                self.thinned(low, high, period_s);
                at(self.seconds, position)
            }
            Arrivals::Offline => Arrival { at: Some(Millis::ZERO), query: 0 },
            Arrivals::Recorded { speed, .. } => self.recorded(position, speed),
        }
    }

    fn exponential(&mut self) -> f64 {
        -libm::log(1.0 - self.random.random::<f64>())
    }

    /// Both processes forget: after a change of state the time to the next arrival is drawn anew.
    fn modulated(&mut self, quiet: (f64, f64), burst: (f64, f64)) {
        loop {
            let (rate, stay) = if self.burst { burst } else { quiet };
            let change = match self.change {
                Some(change) => change,
                None => self.seconds + self.exponential() * stay,
            };
            let next = self.seconds + self.exponential() / rate;
            if next < change {
                self.change = Some(change);
                self.seconds = next;
                return;
            }
            self.seconds = change;
            self.burst = !self.burst;
            self.change = None;
        }
    }

    /// Lewis and Shedler: arrivals at the highest rate, of which as many stay as the rate then says.
    fn thinned(&mut self, low: f64, high: f64, period_s: f64) {
        loop {
            self.seconds += self.exponential() / high;
            let wave = (1.0 - libm::cos(TAU * self.seconds / period_s)) / 2.0;
            let rate = low + (high - low) * wave;
            if self.random.random::<f64>() * high < rate {
                return;
            }
        }
    }

    fn recorded(&self, position: u64, speed: f64) -> Arrival {
        let length = self.recorded.len().max(1) as u64;
        let (round, place) = (position / length, (position % length) as usize);
        let Some((time, query)) = self.recorded.get(place).copied() else {
            return at(0.0, position);
        };
        let first = self.recorded.first().map_or(Millis::ZERO, |(time, _)| *time);
        let last = self.recorded.last().copied().unwrap_or((Millis::ZERO, 0));
        let period = (last.0 - first).get() * (1.0 + 1.0 / length as f64);
        let milliseconds = (time - first).get() + round as f64 * period;
        at(milliseconds / 1e3 / speed, round * (last.1 + 1) + query)
    }
}

fn at(seconds: f64, query: u64) -> Arrival {
    Arrival { at: Some(Millis::saturating((seconds * 1e3).min(GREATEST_MS))), query }
}

impl FromStr for Arrivals {
    type Err = InvalidArrivals;

    fn from_str(text: &str) -> Result<Self, InvalidArrivals> {
        read(text).map_err(|problem| InvalidArrivals { problem })
    }
}

fn read(text: &str) -> Result<Arrivals, String> {
    let mut specification = Specification::new(text);
    let arrivals = match specification.name {
        "sequential" => Arrivals::Sequential,
        "single-stream" => Arrivals::SingleStream,
        "multi-stream" => Arrivals::MultiStream {
            samples: specification.text("samples").map_or(Ok(MULTI_STREAM_SAMPLES), |text| {
                text.parse().map_err(|_| format!("samples is {text:?}: use a whole number from 1"))
            })?,
        },
        "constant" => Arrivals::Constant { rate: rate(&mut specification, "rate")? },
        "poisson" => Arrivals::Poisson { rate: rate(&mut specification, "rate")? },
        "server" => Arrivals::Server { rate: rate(&mut specification, "rate")? },
        "mmpp" => Arrivals::Mmpp {
            quiet: rate(&mut specification, "quiet")?,
            burst: rate(&mut specification, "burst")?,
            quiet_s: specification.positive_or("quiet_s", 10.0)?,
            burst_s: specification.positive_or("burst_s", 1.0)?,
        },
        "diurnal" => {
            let (low, high) = (rate(&mut specification, "low")?, rate(&mut specification, "high")?);
            if low > high {
                return Err(format!("low is {low}, more than high, {high}"));
            }
            Arrivals::Diurnal { low, high, period_s: specification.positive_or("period_s", 86_400.0)? }
        }
        "offline" => Arrivals::Offline,
        "recorded" => Arrivals::Recorded {
            file: specification.text("file").ok_or("recorded needs a file")?.into(),
            speed: specification.positive_or("speed", 1.0)?,
        },
        other => return Err(format!("there are no arrivals {other:?}")),
    };
    specification.end()?;
    Ok(arrivals)
}

/// Requests a second, from one in a year to a million, the resolution of a microsecond.
fn rate(specification: &mut Specification<'_>, key: &str) -> Result<f64, String> {
    let rate = specification.positive(key)?;
    if (3e-8..=1e6).contains(&rate) {
        Ok(rate)
    } else {
        Err(format!("{key} is {rate:?}: use up to a million requests a second"))
    }
}

impl fmt::Display for Arrivals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sequential => f.write_str("sequential"),
            Self::SingleStream => f.write_str("single-stream"),
            Self::MultiStream { samples } => write!(f, "multi-stream:{samples}"),
            Self::Constant { rate } => write!(f, "constant:{rate}"),
            Self::Poisson { rate } => write!(f, "poisson:{rate}"),
            Self::Server { rate } => write!(f, "server:{rate}"),
            Self::Mmpp { quiet, burst, quiet_s, burst_s } => {
                write!(f, "mmpp:{quiet},{burst},quiet_s={quiet_s},burst_s={burst_s}")
            }
            Self::Diurnal { low, high, period_s } => write!(f, "diurnal:{low},{high},period_s={period_s}"),
            Self::Offline => f.write_str("offline"),
            Self::Recorded { file, speed } => write!(f, "recorded:{},speed={speed}", file.display()),
        }
    }
}

#[cfg(test)]
mod tests;
