//! Work on the edge's compute thread. Blocking code.

use std::num::NonZeroU16;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use model_host::{Hosted, accelerator_fault, model_fault};
use models::{ModelError, Network, Timed, codec, preprocess};
use schemas::{
    Accelerator, Configuration, Cut, ExecuteRequest, Fault, FaultKind, LayerProfile, Millis, ModelName,
    Place, RequestId, Stage, StageTime, TailPayload, TailRequest, Tensor, TimeSource,
};

use crate::threads;

/// How the device that this machine plays computes: times longer than this machine, at the clock set now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    slowdown: Option<f64>,
}

impl Pace {
    pub(crate) fn new(slowdown: Option<f64>) -> Self {
        Self { slowdown }
    }

    /// Runs work and waits until as much time has passed as the emulated device would take.
    fn time<T>(self, stage: Stage, stages: &mut Vec<StageTime>, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        if let Some(slowdown) = self.slowdown {
            let wanted = start.elapsed().mul_f64(slowdown.max(1.0));
            thread::sleep(wanted.saturating_sub(start.elapsed()));
        }
        stages.push(self.stage(stage, start.elapsed()));
        result
    }

    fn stage(self, stage: Stage, time: Duration) -> StageTime {
        StageTime { stage, place: Place::Edge, time_ms: time.into(), source: self.source() }
    }

    /// The layers of a head as the emulated device would take for them: its stage is stretched as a whole.
    fn profile(self, layers: Vec<Millis>) -> LayerProfile {
        let slowdown = self.slowdown.map_or(1.0, |slowdown| slowdown.max(1.0));
        LayerProfile {
            place: Place::Edge,
            source: self.source(),
            from: Cut::ALL_CLOUD,
            times_ms: layers.into_iter().map(|time| time * slowdown).collect(),
        }
    }

    fn source(self) -> TimeSource {
        if self.slowdown.is_some() { TimeSource::Emulated } else { TimeSource::Measured }
    }
}

/// A network on the accelerator and the threads that a configuration wants.
struct Runner<'a> {
    network: &'a Network,
    threads: Option<NonZeroU16>,
}

impl<'a> Runner<'a> {
    fn new(hosted: &'a Hosted, configuration: &Configuration) -> Result<Self, Fault> {
        let Configuration { edge_accelerator, edge_threads, .. } = *configuration;
        let network =
            hosted.on(edge_accelerator).ok_or_else(|| accelerator_fault(hosted, edge_accelerator))?;
        Ok(Self { network, threads: edge_threads })
    }

    fn run<T: Send>(&self, work: impl FnOnce(&Network) -> T + Send) -> Result<T, Fault> {
        let work = || work(self.network);
        match self.threads {
            Some(threads) => threads::on(threads, work),
            None => Ok(work()),
        }
    }
}

/// What the head leaves behind: the message for the cloud, and what is needed to finish at home.
#[derive(Debug)]
pub(crate) struct Headed {
    /// The encoded [`TailRequest`]; `None` when the codec cannot write this frontier, which only the edge can finish.
    pub message: Option<Vec<u8>>,
    /// The frontier; empty at cut 0, where the request's input is kept instead.
    pub frontier: Vec<Tensor<'static>>,
    pub stages: Vec<StageTime>,
    /// The time of each layer, where it was asked for and the accelerator can tell.
    pub profile: Option<LayerProfile>,
}

/// A whole network's or a tail's output.
#[derive(Debug)]
pub(crate) struct Finished {
    pub output: Tensor<'static>,
    pub stages: Vec<StageTime>,
    /// As [`Headed::profile`].
    pub profile: Option<LayerProfile>,
}

/// Reads a request; everything in it borrows from the message.
pub(crate) fn decode(body: &Bytes) -> Result<ExecuteRequest<'_>, Fault> {
    schemas::decode(body)
        .map_err(|error| Fault::new(FaultKind::BadRequest, format!("no execution request: {error}")))
}

/// Preprocesses, runs the head and writes the message for the cloud. At cut 0 the input goes as it came, whatever the
/// codec.
pub(crate) fn head(hosted: &Hosted, body: &Bytes, pace: Pace) -> Result<Headed, Fault> {
    let request = decode(body)?;
    let mut stages = Vec::new();
    let ExecuteRequest { id, model, configuration, input, profile, .. } = request;
    let Configuration { cut, codec, cloud_accelerator, .. } = configuration;
    let tail = TailTarget { id, model, cut, accelerator: cloud_accelerator, profile };
    if cut == Cut::ALL_CLOUD {
        let payload = TailPayload::Input(input);
        let message = pace.time(Stage::Encode, &mut stages, || encode(hosted, tail, payload))?;
        return Ok(Headed { message: Some(message), frontier: Vec::new(), stages, profile: None });
    }
    let tensor =
        pace.time(Stage::Preprocess, &mut stages, || preprocess(hosted.bundle.preprocessing(), &input));
    let tensor = tensor.map_err(|error| model_fault(&error))?;
    let runner = Runner::new(hosted, &configuration)?;
    let ran = pace.time(Stage::Head, &mut stages, || {
        runner.run(|network| match profile {
            true => network.head_timed(cut, &tensor),
            false => network.head(cut, &tensor).map(|made| Timed { made, layers: None }),
        })
    })?;
    let Timed { made: frontier, layers } = ran.map_err(|error| model_fault(&error))?;
    let message = pace.time(Stage::Encode, &mut stages, || match codec::encode(codec, &frontier) {
        Ok(encoded) => encode(hosted, tail, TailPayload::Encoded(encoded)).map(Some),
        Err(ModelError::NotFinite { .. }) => Ok(None),
        Err(error) => Err(model_fault(&error)),
    })?;
    Ok(Headed { message, frontier, stages, profile: layers.map(|layers| pace.profile(layers)) })
}

/// Which tail the cloud is to run.
struct TailTarget {
    id: RequestId,
    model: ModelName,
    cut: Cut,
    accelerator: Accelerator,
    profile: bool,
}

fn encode(hosted: &Hosted, tail: TailTarget, payload: TailPayload<'_>) -> Result<Vec<u8>, Fault> {
    let TailTarget { id, model, cut, accelerator, profile } = tail;
    let digest = hosted.bundle.digest().clone();
    let request = TailRequest { id, model, digest, cut, accelerator, profile, payload };
    schemas::encode(&request).map_err(|error| Fault::new(FaultKind::Internal, error.to_string()))
}

/// Preprocesses and runs the whole network.
pub(crate) fn whole(hosted: &Hosted, body: &Bytes, pace: Pace) -> Result<Finished, Fault> {
    let request = decode(body)?;
    let mut stages = Vec::new();
    let preprocessing = hosted.bundle.preprocessing();
    let tensor = pace.time(Stage::Preprocess, &mut stages, || preprocess(preprocessing, &request.input));
    let tensor = tensor.map_err(|error| model_fault(&error))?;
    let runner = Runner::new(hosted, &request.configuration)?;
    let ran = pace.time(Stage::Head, &mut stages, || {
        runner.run(|network| match request.profile {
            true => network.tail_timed(Cut::ALL_CLOUD, std::slice::from_ref(&tensor)),
            false => network.run(&tensor).map(|made| Timed { made, layers: None }),
        })
    })?;
    let Timed { made: output, layers } = ran.map_err(|error| model_fault(&error))?;
    Ok(Finished { output, stages, profile: layers.map(|layers| pace.profile(layers)) })
}

/// Runs the tail on the frontier that was kept.
pub(crate) fn tail(
    hosted: &Hosted,
    configuration: &Configuration,
    frontier: &[Tensor<'static>],
    pace: Pace,
) -> Result<Finished, Fault> {
    let mut stages = Vec::new();
    let (runner, cut) = (Runner::new(hosted, configuration)?, configuration.cut);
    let output = pace.time(Stage::Tail, &mut stages, || runner.run(|network| network.tail(cut, frontier)))?;
    Ok(Finished { output: output.map_err(|error| model_fault(&error))?, stages, profile: None })
}

#[cfg(test)]
mod tests {
    use models::Bundle;
    use schemas::{Codec, Input};

    use super::*;

    fn hosted() -> Hosted {
        let files = demo_network::bundle();
        Hosted::load(
            Bundle::from_files(files.model_toml, files.onnx.to_vec(), Some(files.labels)).unwrap(),
            &[],
        )
        .unwrap()
    }

    /// A request at a cut in the middle, with an input of one value everywhere.
    fn request(hosted: &Hosted, codec: Codec, value: f32) -> Bytes {
        let shape = hosted.description.input.shape.clone();
        let elements = usize::try_from(shape.iter().product::<u64>()).unwrap();
        let request = ExecuteRequest {
            id: RequestId::fresh(),
            model: hosted.bundle.name().clone(),
            input: Input::Tensor(Tensor::from_f32(shape, &vec![value; elements]).unwrap()),
            configuration: Configuration { codec, ..Configuration::at(Cut(1)) },
            cloud: None,
            profile: false,
        };
        schemas::encode(&request).unwrap().into()
    }

    #[test]
    fn a_frontier_that_the_codec_cannot_write_is_kept_to_finish_at_home() {
        let hosted = hosted();
        for codec in Codec::ALL {
            let is_i8 = codec.elements.channels(&[1]).unwrap().is_some();
            for (value, writable) in [(0.5, true), (f32::INFINITY, !is_i8)] {
                let body = request(&hosted, codec, value);
                let headed = head(&hosted, &body, Pace::new(None)).unwrap();
                assert_eq!(headed.message.is_some(), writable, "{codec} of {value}");
                assert!(!headed.frontier.is_empty());
                assert!(headed.stages.iter().any(|stage| stage.stage == Stage::Encode));
            }
        }
    }
}
