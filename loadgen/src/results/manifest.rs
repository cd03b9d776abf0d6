//! What a results folder is about.

use std::fs;

use schemas::{
    Bandwidth, Cut, Digest, FrontId, LinkState, Millis, ModelName, NodeId, PolicyName, Presence, UnixMillis,
};
use serde::{Deserialize, Serialize};

use super::Origin;
use crate::trace::Loop;

/// The version of the format that this program writes and reads. It grows when an older reader would misunderstand a folder; a field
/// that may be missing is no reason.
pub const RESULTS_VERSION: u32 = 1;

/// What was driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Driven {
    /// A running system.
    Live,
    /// The simulator: every time and every joule is [`Origin::Simulated`].
    Simulator,
}

/// `manifest.json`: what was done, with what and where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`RESULTS_VERSION`].
    pub results_version: u32,
    /// The program that made the folder, with its version, such as `loadgen 0.1.0`.
    pub software: String,
    /// How it was called, as one line.
    pub command: String,
    /// A running system or the simulator.
    pub driven: Driven,
    /// When the first run began.
    pub began_at: UnixMillis,
    /// When the last one ended. `None` while runs are missing: the folder is being written, or was cut off.
    #[serde(default)]
    pub ended_at: Option<UnixMillis>,
    /// What everything random was drawn from: the order of the runs, traces, links, simulated outcomes.
    pub seed: u64,
    /// How many times each trace was sent under each policy.
    pub rounds: u32,
    /// Every setting with its value, defaults too, in the words of the campaign file or of the options of `loadgen replay`.
    pub settings: serde_json::Value,
    /// The machine that this program ran on.
    pub machine: Machine,
    /// The services that were there when it began, with their versions, hardware and what they emulate; empty with the simulator.
    #[serde(default)]
    pub services: Vec<Presence>,
    /// The policies, at least one; differences are taken against the first.
    pub policies: Vec<PolicyName>,
    /// The networks, at least one.
    pub models: Vec<ModelUsed>,
    /// The traces, at least one.
    pub traces: Vec<TraceUsed>,
    /// The links; empty where the link was left as it was.
    #[serde(default)]
    pub links: Vec<LinkUsed>,
    /// The fronts in `fronts/`: those that were there when it began and those that were published since. Empty where there was none.
    #[serde(default)]
    pub fronts: Vec<FrontFile>,
    /// The files in `inputs/`.
    #[serde(default)]
    pub inputs: Vec<InputFile>,
}

/// A network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelUsed {
    /// The name under which it was asked.
    pub model: ModelName,
    /// SHA-256 of its ONNX file; `None` where nothing said so (a simulated one, or no executor was seen).
    #[serde(default)]
    pub digest: Option<Digest>,
    /// Its last cut, everything on the edge; `None` where nothing said so.
    #[serde(default)]
    pub last_cut: Option<Cut>,
    /// Where its pictures came from, and how many; `None` with the simulator.
    #[serde(default)]
    pub pictures: Option<String>,
    /// The pool or front that simulated outcomes came from, such as `inputs/pool-vgg16.csv`; `None` on a live system.
    #[serde(default)]
    pub outcomes: Option<String>,
}

/// A trace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TraceUsed {
    /// Its name, which records carry.
    pub name: String,
    /// The file in `inputs/`.
    pub file: String,
    /// Its requests.
    pub requests: u64,
    /// Whether its requests have times of their own.
    pub pacing: Loop,
    /// When its last request is due; `None` in a closed loop.
    #[serde(default)]
    pub duration_ms: Option<Millis>,
}

/// A link that was emulated or simulated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinkUsed {
    /// Its name, which records and changes carry.
    pub name: String,
    /// The file in `inputs/`.
    pub file: String,
    /// Its states.
    pub states: u64,
    /// The slowest.
    pub least_bandwidth_mbit: Bandwidth,
    /// The fastest.
    pub greatest_bandwidth_mbit: Bandwidth,
    /// [`Origin::Emulated`] or [`Origin::Simulated`].
    pub origin: Origin,
    /// The state that it begins in.
    pub first: LinkState,
}

/// A front that was decided on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrontFile {
    /// The file, relative to the folder: a [`schemas::Front`] in JSON.
    pub file: String,
    /// The network.
    pub model: ModelName,
    /// The edge machine.
    pub edge: NodeId,
    /// The cloud machine.
    pub cloud: NodeId,
    /// Which front it is; answers name it.
    pub id: FrontId,
    /// The how-manieth of this network on these machines; 0 for a front that was never published.
    pub revision: u64,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputFile {
    /// The copy, relative to the folder.
    pub file: String,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// The name that it was read under, or the process that it was drawn from.
    pub from: String,
}

/// A machine, as far as it tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// System and processor architecture, such as `linux x86_64`.
    pub system: String,
    /// The kernel's version.
    #[serde(default)]
    pub kernel: Option<String>,
    /// The processor's name; the board's where the kernel names no processor, as on ARM.
    #[serde(default)]
    pub processor: Option<String>,
    /// Threads that run at once.
    pub cores: usize,
    /// Memory in bytes.
    #[serde(default)]
    pub memory_bytes: Option<u64>,
}

impl Machine {
    /// This one.
    pub fn this() -> Self {
        let read = |path: &str| fs::read_to_string(path).ok();
        let memory = read("/proc/meminfo").and_then(|text| field(&text, "MemTotal"));
        let kilobytes = memory.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
        Self {
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            kernel: read("/proc/sys/kernel/osrelease").map(|text| text.trim().to_owned()),
            processor: processor(read("/proc/cpuinfo"), read("/proc/device-tree/model")),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: kilobytes.map(|kilobytes| kilobytes * 1024),
        }
    }
}

/// The value of a line such as `MemTotal:       32000 kB`.
fn field(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_once(':').map(|(_, value)| value.trim().to_owned())
}

/// The name in what the kernel says of the processors, or else what the board is called in its device tree.
fn processor(processors: Option<String>, board: Option<String>) -> Option<String> {
    // A device tree ends its texts with a zero byte.
    let board = || board.map(|name| name.trim_end_matches('\0').to_owned());
    processors.and_then(|text| field(&text, "model name")).or_else(board)
}

#[cfg(test)]
mod tests {
    use super::processor;

    #[test]
    fn a_machine_is_named_by_its_processor_or_else_by_its_board() {
        let named = "processor\t: 0\nmodel name\t: Some Processor 9\n".to_owned();
        let arm =
            "processor\t: 0\nBogoMIPS\t: 108.00\nCPU implementer\t: 0x41\nCPU part\t: 0xd08\n".to_owned();
        let board = || Some("Raspberry Pi 4 Model B Rev 1.4\0".to_owned());
        assert_eq!(processor(Some(named), board()).as_deref(), Some("Some Processor 9"));
        assert_eq!(processor(Some(arm.clone()), board()).as_deref(), Some("Raspberry Pi 4 Model B Rev 1.4"));
        assert_eq!(processor(Some(arm), None), None);
    }
}
