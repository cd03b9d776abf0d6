//! Configurations: one value for every knob.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::units::KiloHertz;
use crate::v1::codec::Codec;

/// A place in a network's topological order. 0 = everything in the cloud, preprocessing too; the last
/// cut of a network = everything on the edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cut(pub u16);

impl Cut {
    /// Everything in the cloud.
    pub const ALL_CLOUD: Self = Self(0);
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What runs the layers on one side of the cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Accelerator {
    /// The processor, with the engine that every executor has.
    #[default]
    Cpu,
    /// The processor, with ONNX Runtime, where an executor finds its library.
    OnnxRuntime,
    /// A graphics processor over Vulkan, Metal or DirectX.
    Wgpu,
    /// An NVIDIA graphics processor.
    Cuda,
}

/// No accelerator has that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no accelerator {0:?}; there are cpu, onnxruntime, wgpu and cuda")]
pub struct UnknownAccelerator(String);

impl Accelerator {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Cpu, Self::OnnxRuntime, Self::Wgpu, Self::Cuda];

    /// Its name, as in settings and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::OnnxRuntime => "onnxruntime",
            Self::Wgpu => "wgpu",
            Self::Cuda => "cuda",
        }
    }
}

impl fmt::Display for Accelerator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Accelerator {
    type Err = UnknownAccelerator;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|accelerator| accelerator.as_str() == text);
        named.ok_or_else(|| UnknownAccelerator(text.to_owned()))
    }
}

/// One value for every knob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Configuration {
    /// Where the network is cut.
    pub cut: Cut,
    /// How the frontier is written on the wire. Without a meaning at cut 0, where the input travels as it came, and at
    /// the last cut, where nothing does.
    #[serde(default)]
    pub codec: Codec,
    /// The clock of the edge's processor; `None` leaves it as it is (a device without that knob).
    #[serde(default)]
    pub edge_frequency_khz: Option<KiloHertz>,
    /// What runs the head. Without a meaning at cut 0.
    #[serde(default)]
    pub edge_accelerator: Accelerator,
    /// Threads that run the head on the processor; `None` leaves it to the executor, which takes all cores.
    #[serde(default)]
    pub edge_threads: Option<NonZeroU16>,
    /// What runs the tail. Without a meaning at the last cut.
    #[serde(default)]
    pub cloud_accelerator: Accelerator,
}

impl Configuration {
    /// A cut with every other knob left as it is.
    pub fn at(cut: Cut) -> Self {
        Self {
            cut,
            codec: Codec::default(),
            edge_frequency_khz: None,
            edge_accelerator: Accelerator::default(),
            edge_threads: None,
            cloud_accelerator: Accelerator::default(),
        }
    }
}

impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cut {}", self.cut)?;
        if self.codec != Codec::F32 {
            write!(f, " in {}", self.codec)?;
        }
        if let Some(frequency) = self.edge_frequency_khz {
            write!(f, " at {frequency}")?;
        }
        if let Some(threads) = self.edge_threads {
            write!(f, ", {threads} edge threads")?;
        }
        if self.edge_accelerator != Accelerator::Cpu {
            write!(f, ", edge on {}", self.edge_accelerator)?;
        }
        if self.cloud_accelerator != Accelerator::Cpu {
            write!(f, ", cloud on {}", self.cloud_accelerator)?;
        }
        Ok(())
    }
}
