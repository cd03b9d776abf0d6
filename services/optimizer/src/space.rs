//! The space of a campaign: what is declared, as far as the network and the machines have it. Pure.

use std::collections::HashMap;
use std::num::NonZeroU16;

use schemas::{Accelerator, Codec, Configuration, Cut, KiloHertz, ModelDescription};
use search::knob::{Knob, Value};
use search::space::{Rule, SpaceFile};
use search::{Candidate, Space};

use crate::site::Pair;

/// The legal configurations of a campaign, as the search knows them and as executors run them.
#[derive(Debug)]
pub struct Choices {
    space: Space,
    last_cut: Cut,
    candidates: HashMap<Configuration, Candidate>,
}

impl Choices {
    /// The space that `declared` (the text of a `space.toml`) and the machines make together.
    ///
    /// What is not declared: the cuts that are worth trying, the codecs given, every clock of the edge, every accelerator of
    /// both sides; threads are left to the executor. At the ends of the network, where a codec, the edge's accelerator
    /// and threads, or the cloud's accelerator have no meaning, they have their first value only.
    ///
    /// # Errors
    /// A text that is no space, a knob that is declared with nothing the machines have, no legal configuration.
    pub fn new(
        declared: Option<&str>,
        description: &ModelDescription,
        codecs: &[Codec],
        pair: &Pair,
    ) -> Result<Self, search::Error> {
        let last_cut = last_cut(description);
        let declared = declared.map(|text| SpaceFile::parse(text, "the space")).transpose()?;
        let known =
            |knob| declared.as_ref().and_then(|declared| declared.declared(knob)).map(<[Value]>::to_vec);
        let undeclared = undeclared(description, codecs, pair);
        let knobs: Vec<(Knob, Vec<Value>)> = Knob::ALL
            .into_iter()
            .filter_map(|knob| {
                let own =
                    || undeclared.iter().find(|(named, _)| *named == knob).map(|(_, values)| values.clone());
                Some((knob, known(knob).or_else(own)?))
            })
            .collect();
        let declared_rules = declared.as_ref().map_or(&[][..], SpaceFile::rules);
        let space = Space::new(knobs, declared_rules)?.intersected(&offered(description, pair))?;
        let space = with_ends(space, declared_rules, last_cut)?;
        let candidates = space
            .candidates()
            .map(|candidate| (configuration(&space, candidate, last_cut), candidate))
            .collect();
        Ok(Self { space, last_cut, candidates })
    }

    /// As the search knows it.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// How many legal configurations there are.
    pub fn legal(&self) -> usize {
        self.candidates.len()
    }

    /// As an executor runs it.
    pub fn configuration(&self, candidate: Candidate) -> Configuration {
        configuration(&self.space, candidate, self.last_cut)
    }

    /// As the search knows it; `None` for one that is not in the space.
    pub fn candidate(&self, configuration: &Configuration) -> Option<Candidate> {
        self.candidates.get(configuration).copied()
    }

    /// The cuts, in the order of the knob's values.
    pub fn cuts(&self) -> Vec<Cut> {
        let cut = |value: &Value| match value {
            Value::Cut(cut) => Some(*cut),
            _ => None,
        };
        self.space.values(Knob::Cut).iter().filter_map(cut).collect()
    }
}

/// The network's last cut.
pub fn last_cut(description: &ModelDescription) -> Cut {
    description.cuts.iter().map(|cut| cut.cut).max().unwrap_or(Cut::ALL_CLOUD)
}

/// What is searched where nothing is declared.
fn undeclared(description: &ModelDescription, codecs: &[Codec], pair: &Pair) -> Vec<(Knob, Vec<Value>)> {
    let worth_trying = description.cuts.iter().filter(|cut| cut.dominated_by.is_none());
    let mut knobs = vec![
        (Knob::Cut, worth_trying.map(|cut| Value::Cut(cut.cut)).collect()),
        (Knob::Codec, codecs.iter().copied().map(Value::Codec).collect::<Vec<_>>()),
    ];
    let frequencies = pair.frequencies();
    if !frequencies.is_empty() {
        knobs.push((Knob::EdgeFrequency, frequencies.into_iter().map(Value::Frequency).collect()));
    }
    let sides = [
        (Knob::EdgeAccelerator, &pair.edge_accelerators),
        (Knob::CloudAccelerator, &pair.cloud_accelerators),
    ];
    for (knob, accelerators) in sides {
        if accelerators.len() > 1 {
            let named = |accelerator: &Accelerator| Value::Accelerator(accelerator.to_string());
            knobs.push((knob, accelerators.iter().map(named).collect()));
        }
    }
    for (_, values) in &mut knobs {
        let mut distinct: Vec<Value> = Vec::with_capacity(values.len());
        for value in values.drain(..) {
            if !distinct.contains(&value) {
                distinct.push(value);
            }
        }
        *values = distinct;
    }
    knobs
}

/// Everything that the network and the machines have.
fn offered(description: &ModelDescription, pair: &Pair) -> Vec<(Knob, Vec<Value>)> {
    let accelerators = |offered: &[Accelerator]| {
        let mut named: Vec<Value> =
            offered.iter().map(|accelerator| Value::Accelerator(accelerator.to_string())).collect();
        // The processor goes by this name, too, where nothing else is meant to run.
        named.push(Value::Accelerator(PROCESSOR_ALONE.to_owned()));
        named
    };
    let threads = (1..=pair.cores()).filter_map(NonZeroU16::new).map(Value::Threads).collect();
    vec![
        (Knob::Cut, description.cuts.iter().map(|cut| Value::Cut(cut.cut)).collect()),
        (Knob::EdgeFrequency, pair.frequencies().into_iter().map(Value::Frequency).collect()),
        (Knob::EdgeAccelerator, accelerators(&pair.edge_accelerators)),
        (Knob::EdgeThreads, threads),
        (Knob::CloudAccelerator, accelerators(&pair.cloud_accelerators)),
    ]
}

const PROCESSOR_ALONE: &str = "off";

/// The space with the rules of the network's ends, for knobs on which nothing else is declared.
fn with_ends(space: Space, declared: &[Rule], last_cut: Cut) -> Result<Space, search::Error> {
    let ends = [
        (Cut::ALL_CLOUD, Knob::Codec),
        (Cut::ALL_CLOUD, Knob::EdgeAccelerator),
        (Cut::ALL_CLOUD, Knob::EdgeThreads),
        (last_cut, Knob::Codec),
        (last_cut, Knob::CloudAccelerator),
    ];
    let rule = |(cut, knob): (Cut, Knob)| {
        let first = space.values(knob).first()?.clone();
        let is_declared = declared.iter().any(|rule| rule.only.0 == knob);
        (!is_declared)
            .then(|| Rule { when: vec![(Knob::Cut, vec![Value::Cut(cut)])], only: (knob, vec![first]) })
    };
    let rules: Vec<Rule> = declared.iter().cloned().chain(ends.into_iter().filter_map(rule)).collect();
    let turned = |knob: &Knob| space.values(*knob) != [Value::AsItIs];
    let knobs =
        Knob::ALL.into_iter().filter(turned).map(|knob| (knob, space.values(knob).to_vec())).collect();
    Space::new(knobs, &rules)
}

fn configuration(space: &Space, candidate: Candidate, last_cut: Cut) -> Configuration {
    let value = |knob| space.value(candidate, knob);
    let cut = match value(Knob::Cut) {
        Value::Cut(cut) => *cut,
        _ => last_cut,
    };
    let accelerator = |knob| match value(knob) {
        // Other names were intersected away.
        Value::Accelerator(name) => name.parse().unwrap_or_default(),
        _ => Accelerator::default(),
    };
    let (on_edge, in_cloud) = (cut != Cut::ALL_CLOUD, cut != last_cut);
    Configuration {
        cut,
        codec: match value(Knob::Codec) {
            Value::Codec(codec) if on_edge && in_cloud => *codec,
            _ => Codec::default(),
        },
        edge_frequency_khz: match value(Knob::EdgeFrequency) {
            Value::Frequency(frequency) => Some(*frequency),
            _ => None::<KiloHertz>,
        },
        edge_accelerator: if on_edge { accelerator(Knob::EdgeAccelerator) } else { Accelerator::default() },
        edge_threads: match value(Knob::EdgeThreads) {
            Value::Threads(threads) if on_edge => Some(*threads),
            _ => None,
        },
        cloud_accelerator: if in_cloud {
            accelerator(Knob::CloudAccelerator)
        } else {
            Accelerator::default()
        },
    }
}

#[cfg(test)]
mod tests;
