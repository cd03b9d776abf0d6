//! One tail, on the compute thread: decode, preprocess at cut 0, run. Blocking code without a clock of its own
//! beyond stage times.

use std::time::Instant;

use bytes::Bytes;
use model_host::{Hosted, accelerator_fault, model_fault};
use models::{ModelError, Network, Timed, codec, preprocess};
use schemas::{
    Accelerator, Cut, Fault, FaultKind, Input, LayerProfile, Millis, Place, Stage, StageTime, TailPayload,
    TailRequest, Tensor, TimeSource,
};

/// A tail's output and where its time went.
#[derive(Debug)]
pub(crate) struct Ran {
    pub output: Tensor<'static>,
    pub stages: Vec<StageTime>,
    /// The time of each layer, where it was asked for and the accelerator can tell.
    pub profile: Option<LayerProfile>,
}

/// Runs the tail that an encoded [`TailRequest`] asks for.
pub(crate) fn run(hosted: &Hosted, body: &Bytes) -> Result<Ran, Fault> {
    let mut stages = Stages::default();
    let Asked { cut, accelerator, profile, work } = stages.time(Stage::Decode, || read(hosted, body))?;
    let network = hosted.on(accelerator).ok_or_else(|| accelerator_fault(hosted, accelerator))?;
    let ran = match work {
        Work::Frontier(frontier) => stages.time(Stage::Tail, || tail(network, cut, &frontier, profile)),
        Work::Input(input) => {
            let tensor = stages.time(Stage::Preprocess, || preprocess(hosted.bundle.preprocessing(), &input));
            tensor.and_then(|tensor| {
                stages.time(Stage::Tail, || tail(network, Cut::ALL_CLOUD, &[tensor], profile))
            })
        }
    };
    let Timed { made, layers } = ran.map_err(|error| model_fault(&error))?;
    let profile = layers.map(|times_ms| LayerProfile {
        place: Place::Cloud,
        source: TimeSource::Measured,
        from: cut,
        times_ms,
    });
    Ok(Ran { output: made, stages: stages.0, profile })
}

/// A tail, with its layers' times where they are wanted.
fn tail(
    network: &Network,
    cut: Cut,
    frontier: &[Tensor<'_>],
    profile: bool,
) -> Result<Timed<Tensor<'static>>, ModelError> {
    if profile {
        return network.tail_timed(cut, frontier);
    }
    Ok(Timed { made: network.tail(cut, frontier)?, layers: None })
}

/// What is to be run, out of its codec.
struct Asked<'a> {
    cut: Cut,
    accelerator: Accelerator,
    profile: bool,
    work: Work<'a>,
}

/// What a tail runs on.
enum Work<'a> {
    Input(Input<'a>),
    Frontier(Vec<Tensor<'a>>),
}

fn read<'a>(hosted: &Hosted, body: &'a Bytes) -> Result<Asked<'a>, Fault> {
    let TailRequest { cut, accelerator, profile, payload, .. } = decode(body)?;
    let work = match payload {
        TailPayload::Input(input) => Work::Input(input),
        TailPayload::Frontier(frontier) => Work::Frontier(frontier),
        TailPayload::Encoded(encoded) => {
            let expected = hosted.network.frontier(cut);
            let frontier = expected.and_then(|expected| codec::decode(encoded, &expected));
            Work::Frontier(frontier.map_err(|error| model_fault(&error))?)
        }
    };
    Ok(Asked { cut, accelerator, profile, work })
}

/// Reads a request; everything in it borrows from the message.
pub(crate) fn decode(body: &Bytes) -> Result<TailRequest<'_>, Fault> {
    schemas::decode(body)
        .map_err(|error| Fault::new(FaultKind::BadRequest, format!("no tail request: {error}")))
}

#[derive(Default)]
struct Stages(Vec<StageTime>);

impl Stages {
    fn time<T>(&mut self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        self.0.push(measured(stage, start.elapsed().into()));
        result
    }
}

/// A stage in the cloud. Nothing is stretched there: an emulated server has power, not speed.
pub(crate) fn measured(stage: Stage, time_ms: Millis) -> StageTime {
    StageTime { stage, place: Place::Cloud, time_ms, source: TimeSource::Measured }
}
