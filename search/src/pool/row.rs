//! One row of a pool.

use csv::StringRecord;

use super::columns::Columns;
use crate::knob::{Knob, Value};

/// What a usable row holds.
pub(super) struct Row {
    /// Where it stands in the file, from 1.
    pub(super) line: u64,
    pub(super) values: Vec<(Knob, Value)>,
    /// In ms.
    pub(super) latency: f64,
    /// In J.
    pub(super) energy: Option<f64>,
    /// 0 to 1.
    pub(super) accuracy: Option<f64>,
    /// Edge, wire and cloud ms, edge and cloud J.
    pub(super) parts: Option<[f64; 5]>,
    pub(super) bytes: Option<f64>,
}

impl Row {
    /// Reads a row; `None` when it has to be left out, an error when a knob's value cannot be understood.
    pub(super) fn read(columns: &Columns, record: &StringRecord, line: u64) -> Result<Option<Self>, String> {
        let text = |place: usize| record.get(place).unwrap_or_default();
        if columns.state.is_some_and(|state| text(state) != "COMPLETE") {
            return Ok(None);
        }
        let mut values = Vec::with_capacity(columns.knobs.len());
        for &(knob, place) in &columns.knobs {
            if text(place).is_empty() {
                return Ok(None);
            }
            let value = value(knob, text(place)).map_err(|problem| columns.at(place, &problem))?;
            values.push((knob, value));
        }
        // A number that is there but is none (NaN, a word) spoils the row; a column that is not there is unknown.
        let number = |place: usize| {
            text(place).parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0)
        };
        let optional = |place: Option<usize>| match place {
            None => Some(None),
            Some(place) => number(place).map(Some),
        };
        let (Some(latency), Some(energy), Some(accuracy)) =
            (number(columns.latency), optional(columns.energy), optional(columns.accuracy))
        else {
            return Ok(None);
        };
        if let (Some(place), Some(true)) = (columns.accuracy, accuracy.map(|accuracy| accuracy > 1.0)) {
            return Err(columns.at(place, "an accuracy is a share from 0 to 1, not per cent"));
        }
        let parts: Option<Vec<f64>> =
            columns.parts.and_then(|places| places.into_iter().map(number).collect());
        Ok(Some(Self {
            line,
            values,
            latency,
            energy,
            accuracy,
            parts: parts.and_then(|parts| parts.try_into().ok()),
            bytes: columns.kibibytes.and_then(number).map(|kibibytes| kibibytes * 1024.0),
        }))
    }

    /// Its configuration in words.
    pub(super) fn describe(&self) -> String {
        self.values.iter().map(|(knob, value)| format!("{knob} {value}")).collect::<Vec<_>>().join(", ")
    }
}

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
