//! The call to a cloud executor.

use std::time::{Duration, Instant};

use broker::{Bus, Call, CallError, Presences, Subject, TraceContext, subjects};
use schemas::{
    ByteCount, Digest, EnergyEntry, InstanceId, LayerProfile, Millis, ModelName, Place, RequestId, Stage,
    StageEnergy, StageTime, TailReply, Tensor, TimeSource, UnixMillis,
};
use tokio::time::sleep;

use crate::link::EmulatedLink;
use crate::targets::{self, Targets};

/// A tail that ran in the cloud.
#[derive(Debug)]
pub(crate) struct Away {
    pub output: Tensor<'static>,
    pub instance: InstanceId,
    /// The cloud's own stages, and the transfer.
    pub stages: Vec<StageTime>,
    pub energy: Vec<EnergyEntry>,
    pub breakdown: Vec<StageEnergy>,
    pub profile: Option<LayerProfile>,
}

/// The way to the cloud executors.
#[derive(Debug, Clone)]
pub(crate) struct Cloud {
    pub bus: Bus,
    pub presences: Presences,
    pub link: Option<EmulatedLink>,
}

/// What to ask and how long to wait.
#[derive(Debug)]
pub(crate) struct TailCall {
    pub id: RequestId,
    pub model: ModelName,
    /// Which version of it ran the head.
    pub digest: Digest,
    /// The executor to ask first.
    pub first: Option<InstanceId>,
    pub message: Vec<u8>,
    pub at_most: Duration,
    pub trace: Option<TraceContext>,
}

impl Cloud {
    /// Asks the planned executor, then others that are there, within the time given.
    pub(crate) async fn run_tail(&self, tail: TailCall) -> Result<Away, CallError> {
        let start = Instant::now();
        let targets = self.targets(&tail);
        let call = Call { id: tail.id, trace: tail.trace, ..Call::new(targets, tail.at_most, tail.message) };
        let deadline = call.deadline;
        self.hold_back(call.body.len(), deadline).await?;
        let answer = self.bus.call(call).await?;
        self.hold_back(answer.body.len(), deadline).await?;
        let reply: TailReply<'_> = schemas::decode(&answer.body).map_err(broker::BrokerError::Wire)?;
        let in_cloud: Millis = reply.stages.iter().map(|stage| stage.time_ms).sum();
        let transfer = StageTime {
            stage: Stage::Transfer,
            place: Place::Wire,
            time_ms: Millis::from(start.elapsed()) - in_cloud,
            source: if self.link.is_some() { TimeSource::Emulated } else { TimeSource::Measured },
        };
        let mut stages = vec![transfer];
        stages.extend_from_slice(&reply.stages);
        let TailReply { output, instance, energy, breakdown, profile, .. } = reply;
        Ok(Away { output: output.into_owned(), instance, stages, energy, breakdown, profile })
    }

    /// The subject that all share is the last resort: the broker goes on handing its messages to members that hang.
    fn targets(&self, tail: &TailCall) -> Vec<Subject> {
        let at = |instance: &InstanceId| subjects::execute_cloud_at(&tail.model, instance);
        let fell_silent = |instance: &InstanceId| self.bus.fell_silent(&at(instance));
        let served = (&tail.model, &tail.digest);
        match targets::choose(tail.first.as_ref(), served, &self.presences.snapshot(), fell_silent) {
            Targets::Instances(instances) => instances.iter().map(at).collect(),
            Targets::Anybody => {
                let shared = subjects::execute_cloud(&tail.model);
                if self.bus.fell_silent(&shared) { Vec::new() } else { vec![shared] }
            }
        }
    }

    /// Waits as long as the emulated link would need, but not beyond the deadline.
    async fn hold_back(&self, bytes: usize, deadline: UnixMillis) -> Result<(), CallError> {
        let Some(link) = &self.link else { return Ok(()) };
        let wanted = link.one_way(ByteCount(bytes as u64));
        if wanted > deadline.remaining() {
            sleep(deadline.remaining()).await;
            return Err(CallError::DeadlineExceeded { accepted: false });
        }
        sleep(wanted).await;
        Ok(())
    }
}
