//! One row of a pool.

use csv::StringRecord;
use schemas::{ByteCount, Joules, Millis, Share};

use super::columns::Columns;
use crate::knob::{Knob, Value};
use crate::observation::Parts;

/// One measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Where it stands in the file, from 1.
    pub line: u64,
    /// What the knobs were set to, for those that have a column.
    pub values: Vec<(Knob, Value)>,
    /// Latency of a request.
    pub latency: Millis,
    /// Energy of a request; `None` without such a column.
    pub energy: Option<Joules>,
    /// Share of right answers; `None` without such a column.
    pub accuracy: Option<Share>,
    /// The stages apart; `None` when not all of their columns are there with a number.
    pub parts: Option<Parts>,
    /// Size of what crosses the cut.
    pub bytes: Option<ByteCount>,
    /// How busy the edge's processor was, 0 to 1.
    pub edge_load: Option<Share>,
    record: StringRecord,
}

/// What a line of the file is.
pub(super) enum Reading {
    Usable(Box<Row>),
    /// A trial that was never completed: nothing is wrong with that.
    Unfinished,
    Unusable {
        column: usize,
        problem: String,
    },
}

const NO_SHARE: &str =
    "an accuracy is a share from 0 to 1, not per cent (numbered values are latency, accuracy and energy)";

/// A column's place and what is wrong with its value.
pub(super) type Problem = (usize, String);

impl Row {
    /// Reads a row; an error when a knob's value cannot be understood.
    pub(super) fn read(columns: &Columns, record: StringRecord, line: u64) -> Result<Reading, Problem> {
        let text = |place: usize| record.get(place).unwrap_or_default();
        if columns.state.is_some_and(|state| text(state) != "COMPLETE") {
            return Ok(Reading::Unfinished);
        }
        let mut values = Vec::with_capacity(columns.knobs.len());
        for &(knob, place) in &columns.knobs {
            if text(place).is_empty() {
                return Ok(Reading::Unusable { column: place, problem: "the value is missing".into() });
            }
            let value = value(knob, text(place)).map_err(|problem| (place, problem))?;
            values.push((knob, value));
        }
        let objectives = || -> Result<_, Problem> {
            // A number that is there but is none (NaN, a word) spoils the row; a column that is not there is unknown.
            let optional = |place: Option<usize>| place.map(|place| number(&record, place)).transpose();
            Ok((number(&record, columns.latency)?, optional(columns.energy)?, optional(columns.accuracy)?))
        };
        let (latency, energy, accuracy) = match objectives() {
            Ok(objectives) => objectives,
            Err((column, problem)) => return Ok(Reading::Unusable { column, problem }),
        };
        if let (Some(place), Some(true)) = (columns.accuracy, accuracy.map(|accuracy| accuracy > 1.0)) {
            return Err((place, NO_SHARE.to_owned()));
        }
        let known = |place: Option<usize>| place.and_then(|place| number(&record, place).ok());
        let kibibytes = known(columns.kibibytes);
        Ok(Reading::Usable(Box::new(Self {
            line,
            values,
            latency: Millis::saturating(latency),
            energy: energy.map(Joules::saturating),
            accuracy: accuracy.map(Share::saturating),
            parts: columns.parts.and_then(|places| parts(&record, places)),
            bytes: kibibytes.map(|kibibytes| ByteCount((kibibytes * 1024.0).round() as u64)),
            edge_load: known(columns.edge_load).map(|percent| Share::saturating(percent / 100.0)),
            record,
        })))
    }

    /// What a column holds; empty beyond the row's end. [`Table::column`](super::Table::column) finds the place.
    pub fn text(&self, column: usize) -> &str {
        self.record.get(column).unwrap_or_default()
    }

    /// Its configuration in words.
    pub fn describe(&self) -> String {
        self.values.iter().map(|(knob, value)| format!("{knob} {value}")).collect::<Vec<_>>().join(", ")
    }
}

fn parts(record: &StringRecord, places: [usize; 5]) -> Option<Parts> {
    let [edge, wire, cloud, edge_j, cloud_j] = places.map(|place| number(record, place).ok());
    Some(Parts {
        edge_time: Millis::saturating(edge?),
        wire_time: Millis::saturating(wire?),
        cloud_time: Millis::saturating(cloud?),
        edge_energy: Joules::saturating(edge_j?),
        cloud_energy: Joules::saturating(cloud_j?),
    })
}

/// A finite number of at least zero.
fn number(record: &StringRecord, place: usize) -> Result<f64, Problem> {
    let text = record.get(place).unwrap_or_default();
    let wrong = |problem: &str| (place, format!("{text:?} {problem}"));
    match text.parse::<f64>() {
        _ if text.is_empty() => Err((place, "the value is missing".into())),
        Err(_) => Err(wrong("is no number")),
        Ok(number) if !number.is_finite() => Err(wrong("is no finite number")),
        Ok(number) if number < 0.0 => Err(wrong("is below zero")),
        Ok(number) if number > GREATEST => Err(wrong("is beyond any measurement: another unit?")),
        Ok(number) => Ok(number),
    }
}

/// Eleven days in ms, a gigajoule: nothing that is measured here is greater.
const GREATEST: f64 = 1e9;

/// Ten times the fastest clock there is.
const GREATEST_MEGAHERTZ: f64 = 100_000.0;

/// A knob's value as pools write it: whole numbers as floats, clocks in MHz without a unit, switches as words.
fn value(knob: Knob, text: &str) -> Result<Value, String> {
    let parse = |text: &str| knob.parse(text).map_err(|error| error.to_string());
    match knob {
        Knob::Cut | Knob::EdgeThreads => match text.parse::<f64>() {
            Ok(number) if number.fract() == 0.0 && (0.0..=65_535.0).contains(&number) => {
                parse(&format!("{number:.0}"))
            }
            _ => parse(text),
        },
        Knob::EdgeFrequency => match text.parse::<f64>() {
            Ok(megahertz) if megahertz > GREATEST_MEGAHERTZ => {
                Err(format!("a clock of {text} MHz is none: the column is in MHz, not in kHz or Hz"))
            }
            Ok(megahertz) => parse(&format!("{megahertz} MHz")),
            Err(_) => parse(text),
        },
        Knob::EdgeAccelerator | Knob::CloudAccelerator => match text {
            "True" | "true" => parse("on"),
            "False" | "false" => parse("off"),
            _ => parse(text),
        },
        Knob::Codec => parse(text),
    }
}
