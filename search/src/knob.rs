//! Knobs and their values.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use schemas::{Codec, Cut, KiloHertz};

/// One dimension that may be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Knob {
    /// Where the network is cut.
    Cut,
    /// How the frontier is written on the wire.
    Codec,
    /// The clock of the edge's processor.
    EdgeFrequency,
    /// What runs the head.
    EdgeAccelerator,
    /// Threads that run the head.
    EdgeThreads,
    /// What runs the tail.
    CloudAccelerator,
}

impl Knob {
    /// Every one, in the order of a [`crate::Candidate`]'s places.
    pub const ALL: [Self; 6] = [
        Self::Cut,
        Self::Codec,
        Self::EdgeFrequency,
        Self::EdgeAccelerator,
        Self::EdgeThreads,
        Self::CloudAccelerator,
    ];

    /// Its name, as in `space.toml`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::Codec => "codec",
            Self::EdgeFrequency => "edge-frequency",
            Self::EdgeAccelerator => "edge-accelerator",
            Self::EdgeThreads => "edge-threads",
            Self::CloudAccelerator => "cloud-accelerator",
        }
    }

    /// Reads one of its values as `space.toml` writes it.
    pub fn parse(self, text: &str) -> Result<Value, UnreadableValue> {
        let unreadable = |problem: String| UnreadableValue { knob: self, text: text.to_owned(), problem };
        match self {
            Self::Cut => text
                .parse()
                .map(|cut| Value::Cut(Cut(cut)))
                .map_err(|_| unreadable("a cut is the number of its place, such as 12".into())),
            Self::Codec => text
                .parse()
                .map(Value::Codec)
                .map_err(|error: schemas::UnknownCodec| unreadable(error.to_string())),
            Self::EdgeFrequency => frequency(text).map(Value::Frequency).ok_or_else(|| {
                unreadable("a clock has a unit, such as \"1800 MHz\" or \"1800000 kHz\"".into())
            }),
            Self::EdgeThreads => NonZeroU16::from_str(text)
                .map(Value::Threads)
                .map_err(|_| unreadable("threads are a number from 1 to 65535".into())),
            Self::EdgeAccelerator | Self::CloudAccelerator => {
                let is_name = !text.is_empty() && text.len() <= 32 && !text.contains(char::is_whitespace);
                is_name
                    .then(|| Value::Accelerator(text.to_owned()))
                    .ok_or_else(|| unreadable("an accelerator is a name of up to 32 characters".into()))
            }
        }
    }
}

impl fmt::Display for Knob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// `"1800 MHz"`, `"1.8 GHz"`, `"1800000 kHz"`: always with the unit, as clocks compared without one are wrong clocks.
fn frequency(text: &str) -> Option<KiloHertz> {
    let number_ends = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(number_ends);
    let factor = match unit.trim() {
        "kHz" => 1.0,
        "MHz" => 1e3,
        "GHz" => 1e6,
        _ => return None,
    };
    let kilohertz = number.parse::<f64>().ok()? * factor;
    // Up to 1 THz every whole number of kHz is exact.
    (1.0..=1e9).contains(&kilohertz).then(|| KiloHertz(kilohertz.round() as u64))
}

/// A text that is no value of a knob.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no value of the knob {knob}: {problem}")]
pub struct UnreadableValue {
    knob: Knob,
    text: String,
    problem: String,
}

/// What a knob is set to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Value {
    /// A cut's place.
    Cut(Cut),
    /// A codec.
    Codec(Codec),
    /// A clock.
    Frequency(KiloHertz),
    /// An accelerator's name, or that of its mode; `off` and `cpu` are the processor.
    Accelerator(String),
    /// A number of threads.
    Threads(NonZeroU16),
    /// The knob is not turned.
    AsItIs,
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut(cut) => cut.fmt(f),
            Self::Codec(codec) => codec.fmt(f),
            Self::Frequency(frequency) => frequency.fmt(f),
            Self::Accelerator(name) => f.pad(name),
            Self::Threads(threads) => threads.fmt(f),
            Self::AsItIs => f.pad("as it is"),
        }
    }
}

#[cfg(test)]
mod tests {
    use schemas::KiloHertz;

    use super::{Knob, Value};

    #[test]
    fn clocks_have_units() {
        let cases = [
            ("1800 MHz", Some(1_800_000)),
            ("1.8 GHz", Some(1_800_000)),
            ("1800MHz", Some(1_800_000)),
            ("600000 kHz", Some(600_000)),
            ("1800", None),
            ("1800 Hz", None),
            ("-1 MHz", None),
            ("0 MHz", None),
            ("1.2.3 GHz", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let value = Knob::EdgeFrequency.parse(text).ok();
            assert_eq!(value, expected.map(|clock| Value::Frequency(KiloHertz(clock))), "{text}");
        }
    }

    #[test]
    fn values_are_read_as_they_are_written() {
        let cases = [
            (Knob::Cut, "12"),
            (Knob::Codec, "i8-channel+lz4"),
            (Knob::EdgeAccelerator, "max"),
            (Knob::EdgeThreads, "4"),
        ];
        for (knob, text) in cases {
            assert_eq!(knob.parse(text).unwrap().to_string(), text);
        }
        for (knob, text) in [
            (Knob::Cut, "last"),
            (Knob::Codec, "f64"),
            (Knob::EdgeThreads, "0"),
            (Knob::CloudAccelerator, "a b"),
        ] {
            let error = knob.parse(text).unwrap_err().to_string();
            assert!(error.contains(text) && error.contains(knob.as_str()), "{error}");
        }
    }
}
