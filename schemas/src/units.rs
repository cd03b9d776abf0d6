//! Quantities as types. On the wire each is a plain number in the unit its name says.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Sub};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A number that is not a valid quantity: not finite, negative, or out of range.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{value} is not a valid {quantity}")]
pub struct InvalidQuantity {
    quantity: &'static str,
    value: f64,
}

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $unit:literal, $quantity:literal, $greatest:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
        #[serde(try_from = "f64", into = "f64")]
        pub struct $name(f64);

        impl $name {
            /// Zero.
            pub const ZERO: Self = Self(0.0);

            /// Takes a finite number of at least zero (and at most the greatest of the type).
            pub fn new(value: f64) -> Result<Self, InvalidQuantity> {
                if value.is_finite() && (0.0..=$greatest).contains(&value) {
                    Ok(Self(value))
                } else {
                    Err(InvalidQuantity { quantity: $quantity, value })
                }
            }

            /// Takes any number: what is not finite or below zero becomes zero, what is too great
            /// becomes the greatest. For results of arithmetic whose inputs are already checked.
            pub fn saturating(value: f64) -> Self {
                if value.is_nan() { Self::ZERO } else { Self(value.clamp(0.0, $greatest)) }
            }

            /// The number, in the unit of the type.
            pub const fn get(self) -> f64 {
                self.0
            }
        }

        impl TryFrom<f64> for $name {
            type Error = InvalidQuantity;
            fn try_from(value: f64) -> Result<Self, InvalidQuantity> {
                Self::new(value)
            }
        }

        impl From<$name> for f64 {
            fn from(value: $name) -> f64 {
                value.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match f.precision() {
                    Some(digits) => write!(f, concat!("{:.*}", $unit), digits, self.0),
                    None => write!(f, concat!("{}", $unit), self.0),
                }
            }
        }
    };
}

macro_rules! additive {
    ($name:ident) => {
        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self::saturating(self.0 + other.0)
            }
        }

        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }

        /// Saturates at zero.
        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self::saturating(self.0 - other.0)
            }
        }

        impl Mul<f64> for $name {
            type Output = Self;
            fn mul(self, factor: f64) -> Self {
                Self::saturating(self.0 * factor)
            }
        }

        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(values: I) -> Self {
                values.fold(Self::ZERO, Add::add)
            }
        }
    };
}

quantity!(
    /// A span of time in milliseconds.
    Millis, " ms", "span of time in ms", f64::MAX
);
quantity!(
    /// Energy in joules.
    Joules, " J", "energy in J", f64::MAX
);
quantity!(
    /// Power in watts.
    Watts, " W", "power in W", f64::MAX
);
quantity!(
    /// How fast a link is, in megabits a second.
    Bandwidth, " Mbit/s", "bandwidth in Mbit/s", f64::MAX
);
quantity!(
    /// A share between 0 and 1, such as an accuracy.
    Share, "", "share (0 to 1)", 1.0
);
quantity!(
    /// How often something counts, such as a joule of one place.
    Weight, "", "weight", f64::MAX
);
quantity!(
    /// What energy costs, in the unit its prices are in (see [`crate::EnergyPrices`]).
    Cost, "", "cost", f64::MAX
);
additive!(Weight);
additive!(Cost);
additive!(Millis);
additive!(Joules);
additive!(Watts);

impl From<Duration> for Millis {
    fn from(duration: Duration) -> Self {
        Self(duration.as_secs_f64() * 1e3)
    }
}

impl Millis {
    /// As a [`Duration`]; spans too long for one become the longest.
    pub fn to_duration(self) -> Duration {
        Duration::try_from_secs_f64(self.0 / 1e3).unwrap_or(Duration::MAX)
    }
}

impl Weight {
    /// Counts once.
    pub const ONE: Self = Self(1.0);
}

/// Power held for a time is energy.
impl Mul<Millis> for Watts {
    type Output = Joules;
    fn mul(self, time: Millis) -> Joules {
        Joules::saturating(self.0 * time.0 / 1e3)
    }
}

/// A clock rate in kilohertz, the unit of the kernel's cpufreq files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KiloHertz(pub u64);

impl KiloHertz {
    /// From megahertz.
    pub const fn from_megahertz(megahertz: u64) -> Self {
        Self(megahertz.saturating_mul(1000))
    }
}

impl fmt::Display for KiloHertz {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} MHz", self.0 as f64 / 1e3)
    }
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ByteCount(pub u64);

impl fmt::Display for ByteCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0..1_000 => write!(f, "{} B", self.0),
            1_000..1_000_000 => write!(f, "{:.1} KB", self.0 as f64 / 1e3),
            _ => write!(f, "{:.2} MB", self.0 as f64 / 1e6),
        }
    }
}

/// A moment: milliseconds since the Unix epoch, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    /// This machine's clock, now.
    pub fn now() -> Self {
        // A clock before 1970 reads as 1970: every deadline is then in the future, none is missed.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    /// This moment plus a span, saturating.
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How long from `now` until this moment; zero when it has passed.
    pub fn remaining_at(self, now: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(now.0))
    }

    /// How long from now, by this machine's clock, until this moment; zero when it has passed.
    pub fn remaining(self) -> Duration {
        self.remaining_at(Self::now())
    }
}
