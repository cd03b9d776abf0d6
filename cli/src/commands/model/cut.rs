//! `splinter model cut`: a network as two ONNX files.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use models::{Accelerator, Bundle, Network};
use schemas::{ByteCount, Cut, CutDescription};
use serde::Serialize;

use super::read;
use crate::arguments::CutArguments;
use crate::output;

/// Names that are offered where a name is not found.
const SUGGESTIONS: usize = 3;

/// What was written.
#[derive(Debug, Serialize)]
struct Written {
    cut: Cut,
    after: String,
    /// The tensors that cross, in the order of the head's outputs and the tail's inputs.
    frontier: Vec<String>,
    head: PathBuf,
    head_bytes: ByteCount,
    tail: PathBuf,
    tail_bytes: ByteCount,
    /// Whether the tail takes one picture only, though the network takes any number.
    one_picture: bool,
}

pub fn run(arguments: &CutArguments) -> anyhow::Result<()> {
    let folder = &arguments.output_dir;
    let places = ["head.onnx", "tail.onnx"].map(|name| folder.join(name));
    if let Some(place) = places.iter().find(|place| place.exists() && !arguments.force) {
        bail!("{} is there already; --force writes over it", place.display());
    }
    let bundle = read(&arguments.model)?;
    let written = write(&bundle, &arguments.at, folder, places)?;
    output::print(arguments.output.json, &written, Written::text)
}

fn write(bundle: &Bundle, at: &str, folder: &Path, places: [PathBuf; 2]) -> anyhow::Result<Written> {
    let network = Network::load(bundle, Accelerator::Cpu)?;
    let cuts = network.describe(bundle.name(), &[]).cuts;
    let cut = find(&cuts, at)?;
    let halves = network.halves(bundle, cut.cut)?;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let [head, tail] = places;
    for (path, bytes) in [(&head, &halves.head), (&tail, &halves.tail)] {
        output::write_whole(path, bytes)?;
    }
    let length = |bytes: &Vec<u8>| ByteCount(bytes.len() as u64);
    Ok(Written {
        cut: cut.cut,
        after: cut.name.clone(),
        frontier: halves.frontier.clone(),
        head,
        head_bytes: length(&halves.head),
        tail,
        tail_bytes: length(&halves.tail),
        one_picture: halves.one_picture,
    })
}

/// The cut of a number or name; after the last node of a module of that name; or where the one tensor of that name crosses.
fn find<'a>(cuts: &'a [CutDescription], at: &str) -> anyhow::Result<&'a CutDescription> {
    let within = |cut: &&CutDescription| {
        let rest = cut.name.strip_prefix(at);
        !at.is_empty() && rest.is_some_and(|rest| rest.starts_with(['.', ':', '/']))
    };
    let crossed_by_one = |cut: &&CutDescription| matches!(&cut.frontier[..], [one] if one.name == at);
    let found = match at.parse() {
        Ok(number) => cuts.iter().find(|cut| cut.cut == Cut(number)),
        Err(_) => cuts
            .iter()
            .find(|cut| cut.name == at)
            .or_else(|| cuts.iter().rfind(within))
            .or_else(|| cuts.iter().find(crossed_by_one)),
    };
    found.with_context(|| {
        let last = cuts.len().saturating_sub(1);
        let mut near: Vec<&str> = cuts.iter().map(|cut| cut.name.as_str()).collect();
        near.sort_by(|a, b| strsim::jaro_winkler(at, b).total_cmp(&strsim::jaro_winkler(at, a)));
        near.truncate(SUGGESTIONS);
        format!("there is no cut {at:?}: cuts are 0 to {last}, near names are {}", near.join(", "))
    })
}

impl Written {
    fn text(&self) -> String {
        let once = if self.one_picture {
            "\nthe tail takes one picture at a time: it holds sizes that the network computes from its input"
        } else {
            ""
        };
        format!(
            "cut {} after {}: {} crosses\n{}  {}\n{}  {}{once}",
            self.cut,
            self.after,
            self.frontier.join(" + "),
            self.head.display(),
            self.head_bytes,
            self.tail.display(),
            self.tail_bytes,
        )
    }
}

#[cfg(test)]
mod tests {
    use schemas::{DataType, TensorSignature};

    use super::*;

    fn cuts() -> Vec<CutDescription> {
        let names =
            ["input", "conv1", "layer1.0.conv1", "layer1.0:add", "layer1.0", "layer1.1.relu", "output"];
        let cut = |(number, name): (u16, &&str)| CutDescription {
            cut: Cut(number),
            name: (*name).to_owned(),
            frontier: vec![TensorSignature {
                name: format!("t{number}"),
                data_type: DataType::F32,
                shape: vec![1, 2],
            }],
            bytes: ByteCount(8),
            macs_before: 0,
            macs_after: 0,
            parameters_before: 0,
            parameters_after: 0,
            dominated_by: None,
        };
        (0..).zip(&names).map(cut).collect()
    }

    #[test]
    fn a_cut_is_found_by_number_name_module_or_tensor() {
        for (at, expected) in
            [("0", 0), ("6", 6), ("conv1", 1), ("layer1.0", 4), ("layer1", 5), ("layer1.1", 5), ("t3", 3)]
        {
            assert_eq!(find(&cuts(), at).unwrap().cut, Cut(expected), "{at}");
        }
    }

    #[test]
    fn near_names_are_offered() {
        for at in ["conv2", "7", "", "-1"] {
            let error = find(&cuts(), at).unwrap_err().to_string();
            assert!(error.contains("0 to 6"), "{error}");
        }
        let error = find(&cuts(), "layer1.0.conv").map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("layer1.0.conv1"), "{error}");
    }
}
