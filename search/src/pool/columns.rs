//! Where a pool's columns are.

use csv::StringRecord;

use crate::knob::Knob;

/// Places of the columns in a row.
pub(super) struct Columns {
    pub(super) knobs: Vec<(Knob, usize)>,
    pub(super) latency: usize,
    pub(super) energy: Option<usize>,
    pub(super) accuracy: Option<usize>,
    /// Edge, wire and cloud ms, edge and cloud J.
    pub(super) parts: Option<[usize; 5]>,
    pub(super) kibibytes: Option<usize>,
    pub(super) edge_load: Option<usize>,
    pub(super) state: Option<usize>,
}

const PARTS: [&str; 5] = [
    "avg latency edge (ms)",
    "avg latency transfer (ms)",
    "avg latency cloud (ms)",
    "avg energy edge (J)",
    "avg energy cloud (J)",
];

const KNOBS: [(Knob, &[&str]); 6] = [
    (Knob::Cut, &["layer", "cut"]),
    (Knob::Codec, &["codec"]),
    (Knob::EdgeFrequency, &["cpu-freq", "edge-frequency"]),
    (Knob::EdgeAccelerator, &["edge-accelerator"]),
    (Knob::EdgeThreads, &["edge-threads"]),
    (Knob::CloudAccelerator, &["server-accelerator", "cloud-accelerator"]),
];

impl Columns {
    /// Finds them in a header; otherwise says what is missing or there twice.
    pub(super) fn find(header: &StringRecord) -> Result<Self, String> {
        let place = |names: &[&str]| -> Result<Option<usize>, String> {
            let is_meant = |column: &str| {
                let plain = column.strip_prefix("params_").or_else(|| column.strip_prefix("user_attrs_"));
                names.contains(&column) || plain.is_some_and(|plain| names.contains(&plain))
            };
            let mut found = header.iter().enumerate().filter(|(_, column)| is_meant(column));
            match (found.next(), found.next()) {
                (Some((_, column)), Some(_)) => Err(format!("the column {column:?} is there twice")),
                (first, _) => Ok(first.map(|(place, _)| place)),
            }
        };
        let needed = |names: &[&str]| {
            place(names)?
                .ok_or_else(|| format!("there is no column {}, which every pool needs", one_of(names)))
        };
        needed(KNOBS[0].1)?;
        let mut knobs = Vec::new();
        for (knob, names) in KNOBS {
            knobs.extend(place(names)?.map(|place| (knob, place)));
        }
        let parts = PARTS.iter().map(|&name| place(&[name])).collect::<Result<Vec<_>, _>>()?;
        // The studies of the paper are of latency, accuracy and energy, or of latency and energy.
        let numbered: [&str; 2] =
            if place(&["values_2"])?.is_some() { ["values_2", "values_1"] } else { ["values_1", ""] };
        Ok(Self {
            knobs,
            latency: needed(&["latency", "values_latency", "values_0"])?,
            energy: place(&["energy", "values_energy", numbered[0]])?,
            accuracy: place(&["accuracy", "values_accuracy", numbered[1]])?,
            parts: parts.into_iter().collect::<Option<Vec<usize>>>().and_then(|parts| parts.try_into().ok()),
            kibibytes: place(&["tensor size (KB)"])?,
            edge_load: place(&["utilization edge cpu (%)"])?,
            state: place(&["state"])?,
        })
    }
}

fn one_of(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    match quoted.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => quoted.join(""),
    }
}
