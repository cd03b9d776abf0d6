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
    names: Vec<String>,
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
    /// Finds them in a header; otherwise says what is missing.
    pub(super) fn find(header: &StringRecord) -> Result<Self, String> {
        let place = |names: &[&str]| {
            header.iter().position(|column| {
                let plain = column.strip_prefix("params_").or_else(|| column.strip_prefix("user_attrs_"));
                names.contains(&column) || plain.is_some_and(|plain| names.contains(&plain))
            })
        };
        let needed = |names: &[&str]| {
            place(names).ok_or_else(|| format!("there is no column {:?}, which every pool needs", names[0]))
        };
        needed(KNOBS[0].1)?;
        let parts: Option<Vec<usize>> = PARTS.iter().map(|&name| place(&[name])).collect();
        Ok(Self {
            knobs: KNOBS.iter().filter_map(|(knob, names)| Some((*knob, place(names)?))).collect(),
            latency: needed(&["latency", "values_0"])?,
            energy: place(&["energy", "values_1"]),
            accuracy: place(&["accuracy", "values_2"]),
            parts: parts.and_then(|parts| parts.try_into().ok()),
            kibibytes: place(&["tensor size (KB)"]),
            edge_load: place(&["utilization edge cpu (%)"]),
            state: place(&["state"]),
            names: header.iter().map(str::to_owned).collect(),
        })
    }

    /// A problem with what stands in a column.
    pub(super) fn at(&self, place: usize, problem: &str) -> String {
        format!("column {:?}: {problem}", self.names.get(place).map_or("", String::as_str))
    }
}
