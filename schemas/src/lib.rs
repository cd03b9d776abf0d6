//! Every message that travels between Splinter's services, as pure data.
//!
//! # Layout
//! - [`units`]: quantities as types (`Millis`, `Joules`, `KiloHertz`, …), never bare floats.
//! - [`ids`]: identifiers as types, each safe as one token of a NATS subject.
//! - [`nearest_rank`]: what the messages' percentiles are.
//! - [`wire`]: MessagePack with named fields; the one place that encodes and decodes.
//! - [`v1`]: the messages of version 1, pure data without behaviour.
//!
//! The current version of every message is re-exported here by name; services import it from here.
//!
//! # Adding a version
//! 1. Create `v2` with only the types that change, and `From<v1::…>` for each.
//! 2. Point the re-exports below at the new types.
//! 3. Add fixtures of the new messages; the old ones stay and must decode for ever.
//! 4. Serve the old subjects by converting, calling the new code, and converting back.

pub mod ids;
mod quantile;
pub mod units;
pub mod v1;
pub mod wire;

pub use ids::{Digest, FrontId, InstanceId, InvalidId, ModelName, NodeId, RequestId};
pub use quantile::nearest_rank;
pub use units::{Bandwidth, ByteCount, Cost, Joules, KiloHertz, Millis, Share, UnixMillis, Watts, Weight};
pub use v1::codec::{
    ChannelLayout, Codec, Compression, ElementFormat, LEAST_ELEMENTS_A_CHANNEL, Scale, UnknownCodec,
};
pub use v1::configuration::{Accelerator, Configuration, Cut, UnknownAccelerator};
pub use v1::description::{CutDescription, ModelDescription, TensorSignature};
pub use v1::encoded::EncodedTensor;
pub use v1::energy::{EnergyEntry, EnergySource, MeterReading, Place, StageEnergy, joules_at, total_joules};
pub use v1::execution::{
    Classification, ExecuteReply, ExecuteRequest, Fallback, LayerProfile, TailPayload, TailReply, TailRequest,
};
pub use v1::fault::{Fault, FaultKind, Feasible};
pub use v1::front::{
    Accuracy, CodecLoss, Expectation, Front, HardwareChanges, HardwareReadBack, LatencySummary, LossBasis,
    Measurement, Provenance, SearchSummary, Suspicion, Uncertainty, WithheldCodec,
};
pub use v1::hardware::{
    BatteryReport, DevicePower, HardwareReport, Knob, KnobReport, KnobSupport, SensorKind, SensorReport,
};
pub use v1::inference::{InferReply, InferRequest, Input, LimitKind, Qos, UnknownLimitKind};
pub use v1::link::{LinkReply, LinkRequest, LinkState};
pub use v1::metrics::{MetricsSnapshot, Sample};
pub use v1::optimization::{
    LabelledPicture, OptimizeProgress, OptimizeReply, OptimizeRequest, OptimizeTask, SearchWishes,
};
pub use v1::plan::{Plan, PlanReason, PlanRequest, PolicyName};
pub use v1::presence::{Presence, ServedModel, ServiceKind, ServiceState};
pub use v1::price::{BatteryWeight, CostUnit, EnergyPrices, PlacePrices, PriceError, PricedPer};
pub use v1::receipt::{Outcome, Receipt};
pub use v1::scheduling::{CameOut, EdgeOutlook, PolicyChoice, Regret, SchedulerReport};
pub use v1::setup::{EdgeSetup, SetupChange};
pub use v1::stage::{Stage, StageTime, TimeSource, hardware_change};
pub use v1::tensor::{DataType, Tensor, TensorError};
pub use v1::tuning::{CpuQuota, LeaseReport, Setting, SettingWrite, TuneOrder, TuneReply, TuneRequest};
pub use wire::{WireError, decode, encode};
