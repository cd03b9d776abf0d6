//! What a campaign names, read and drawn: whole before anything is run.

use std::path::{Path, PathBuf};

use schemas::{Bandwidth, Digest, Millis};
use sha2::{Digest as _, Sha256};

use super::file::{Campaign, LinkEntry, TraceEntry};
use crate::error::LoadgenError;
use crate::link::LinkTrace;
use crate::results::{Driven, InputFile, LinkUsed, Origin, TraceUsed};
use crate::trace::arrivals::Arrivals;
use crate::trace::recipe::Recipe;
use crate::trace::{Trace, TraceFormat};

/// How long a Markov process goes on where nothing else is said.
const LINK_SECONDS: f64 = 600.0;

/// A campaign with everything that it needs.
#[derive(Debug, Clone)]
pub struct Material {
    /// The campaign as a file in `inputs/` says it: nothing drawn, every file beside it.
    pub campaign: Campaign,
    /// The traces, in its order.
    pub traces: Vec<Trace>,
    /// The links, in its order.
    pub links: Vec<LinkTrace>,
    /// The files of `inputs/`, with their bytes.
    pub files: Vec<(InputFile, Vec<u8>)>,
}

impl Material {
    /// Reads and draws everything that a campaign names, except pictures.
    ///
    /// # Errors
    /// A file that cannot be read or used, named with line and column.
    pub fn gather(mut campaign: Campaign, driven: Driven) -> Result<Self, LoadgenError> {
        let (mut files, seed) = (Vec::new(), campaign.seed);
        let mut traces = Vec::new();
        for (place, entry) in (0..).zip(&mut campaign.traces) {
            let (trace, bytes, from) = read_trace(entry, seed.wrapping_add(place))?;
            let name = PathBuf::from(format!("trace-{}.csv", entry.name));
            files.push(input(&name, from, bytes));
            *entry = TraceEntry {
                file: Some(name),
                requests: None,
                arrivals: None,
                limits: None,
                name: entry.name.clone(),
            };
            traces.push(trace);
        }
        let mut links = Vec::new();
        for (place, entry) in (0..).zip(&mut campaign.links) {
            let (link, bytes, from) = read_link(entry, seed.wrapping_add(place))?;
            let name = PathBuf::from(format!("link-{}.csv", entry.name));
            files.push(input(&name, from, bytes));
            *entry =
                LinkEntry { file: Some(name), process: None, duration_s: None, name: entry.name.clone() };
            links.push(link);
        }
        for model in &mut campaign.models {
            let named = [("pool", "csv", &mut model.pool), ("front", "json", &mut model.front)];
            for (kind, ending, file) in named {
                let Some(path) = file.as_mut().filter(|_| driven == Driven::Simulator) else { continue };
                let name = PathBuf::from(format!("{kind}-{}.{ending}", model.name));
                let from = path.display().to_string();
                files.push(input(&name, from, read(path)?));
                *path = name;
            }
            if let Some(images) = &mut model.images {
                *images = std::path::absolute(&*images)
                    .map_err(|source| LoadgenError::Unreadable { path: images.clone(), source })?;
            }
        }
        let text = toml::to_string(&campaign).map_err(LoadgenError::CampaignText)?;
        files.push(input(
            Path::new("campaign.toml"),
            "the campaign, with everything drawn".into(),
            text.into(),
        ));
        Ok(Self { campaign, traces, links, files })
    }

    /// The entries of the manifest for its files.
    pub fn inputs(&self) -> Vec<InputFile> {
        self.files.iter().map(|(entry, _)| entry.clone()).collect()
    }

    /// The bytes of a file of `inputs/`.
    pub fn bytes(&self, name: &Path) -> Option<&[u8]> {
        let file = in_inputs(name);
        self.files.iter().find(|(entry, _)| entry.file == file).map(|(_, bytes)| bytes.as_slice())
    }

    /// The traces as the manifest has them.
    pub fn traces_used(&self) -> Vec<TraceUsed> {
        let used = |(entry, trace): (&TraceEntry, &Trace)| TraceUsed {
            name: entry.name.to_string(),
            file: in_inputs(entry.file.as_deref().unwrap_or(Path::new(""))),
            requests: trace.requests().len() as u64,
            pacing: trace.pacing(),
            duration_ms: trace.duration(),
        };
        self.campaign.traces.iter().zip(&self.traces).map(used).collect()
    }

    /// The links as the manifest has them.
    pub fn links_used(&self, origin: Origin) -> Vec<LinkUsed> {
        let used = |(entry, link): (&LinkEntry, &LinkTrace)| {
            let bandwidths = link.states().iter().map(|(_, state)| state.bandwidth_mbit.get());
            LinkUsed {
                name: entry.name.to_string(),
                file: in_inputs(entry.file.as_deref().unwrap_or(Path::new(""))),
                states: link.states().len() as u64,
                least_bandwidth_mbit: Bandwidth::saturating(bandwidths.clone().fold(f64::INFINITY, f64::min)),
                greatest_bandwidth_mbit: Bandwidth::saturating(bandwidths.fold(0.0, f64::max)),
                origin,
                first: link.at(Millis::ZERO),
            }
        };
        self.campaign.links.iter().zip(&self.links).map(used).collect()
    }
}

fn read_trace(entry: &TraceEntry, seed: u64) -> Result<(Trace, Vec<u8>, String), LoadgenError> {
    if let Some(path) = &entry.file {
        return Ok((Trace::read(path)?, read(path)?, path.display().to_string()));
    }
    let arrivals = entry.arrivals.clone().unwrap_or(Arrivals::Sequential);
    // Checked when the campaign was read.
    let limits = entry.limits.ok_or_else(|| LoadgenError::InvalidTrace("it has no limits".into()))?;
    let requests = entry.requests.unwrap_or_default();
    // Each network is asked all requests; what the file says is the trace's own name.
    let recipe =
        Recipe { arrivals: arrivals.clone(), requests, seed, ..Recipe::sequential(&entry.name, limits) };
    let trace = recipe.trace()?;
    let from = format!("{requests} requests, arrivals {arrivals}, limits {limits}, seed {seed}");
    let mut bytes = Vec::new();
    trace.write(&mut bytes, TraceFormat::Splinter, &from)?;
    Ok((trace, bytes, from))
}

fn read_link(entry: &LinkEntry, seed: u64) -> Result<(LinkTrace, Vec<u8>, String), LoadgenError> {
    match (&entry.file, &entry.process) {
        (Some(path), _) => Ok((LinkTrace::read(path)?, read(path)?, path.display().to_string())),
        (None, Some(process)) => {
            let seconds = entry.duration_s.unwrap_or(LINK_SECONDS);
            let link = process.trace(Millis::saturating(seconds * 1e3), seed)?;
            let from = format!("{process} over {seconds} s, seed {seed}");
            let mut bytes = Vec::new();
            link.write(&mut bytes, &from)?;
            Ok((link, bytes, from))
        }
        // Checked when the campaign was read.
        (None, None) => Err(LoadgenError::InvalidLink("it has neither file nor process".into())),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, LoadgenError> {
    std::fs::read(path).map_err(|source| LoadgenError::Unreadable { path: path.to_owned(), source })
}

/// How the manifest names a file of `inputs/`.
pub(super) fn in_inputs(name: &Path) -> String {
    format!("inputs/{}", name.display())
}

fn input(name: &Path, from: String, bytes: Vec<u8>) -> (InputFile, Vec<u8>) {
    let digest = Digest::from_bytes(Sha256::digest(&bytes).into());
    (InputFile { file: in_inputs(name), digest, from }, bytes)
}
