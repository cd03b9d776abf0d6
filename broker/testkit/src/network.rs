//! A network that nobody has to run: what executors say of one.

use broker::{Bus, Endpoint, Request, Response, Serving, subjects};
use schemas::{
    Accelerator, ByteCount, Cut, CutDescription, DataType, Digest, ModelDescription, ModelName, ServedModel,
    TensorSignature,
};

/// A chain of so many nodes with one number in and out; the later the cut, the fewer bytes cross it.
#[derive(Debug, Clone)]
pub struct ScriptedNetwork {
    /// The name it is served under.
    pub model: ModelName,
    /// Its last cut: everything on the edge.
    pub last_cut: Cut,
}

impl ScriptedNetwork {
    /// Its entry in a presence.
    pub fn served(&self) -> ServedModel {
        ServedModel {
            name: self.model.clone(),
            digest: Digest::from_bytes([1; 32]),
            last_cut: self.last_cut,
            input: signature(),
            output: signature(),
            accelerators: vec![Accelerator::Cpu],
        }
    }

    /// What of it is sent to the cloud at a cut.
    pub fn bytes_at(&self, cut: Cut) -> ByteCount {
        ByteCount(1_000 * u64::from(self.last_cut.0 - cut.0))
    }

    /// Answers the question what it is, as executors do.
    ///
    /// # Errors
    /// The broker does not let it.
    pub async fn describe(&self, bus: &Bus) -> anyhow::Result<Serving> {
        let description = self.description();
        let answer = move |_: Request| std::future::ready(Response::messagepack(&description));
        Ok(bus.serve(Endpoint::new(4).shared(subjects::describe(&self.model)), answer).await?)
    }

    fn description(&self) -> ModelDescription {
        let last = self.last_cut.0;
        let cut = |cut| CutDescription {
            cut: Cut(cut),
            name: format!("node{cut}"),
            frontier: Vec::new(),
            bytes: self.bytes_at(Cut(cut)),
            macs_before: u64::from(cut),
            macs_after: u64::from(last - cut),
            parameters_before: 0,
            parameters_after: 0,
            dominated_by: None,
        };
        ModelDescription {
            name: self.model.clone(),
            digest: Digest::from_bytes([1; 32]),
            input: signature(),
            output: signature(),
            labels: Vec::new(),
            cuts: (0..=last).map(cut).collect(),
        }
    }
}

fn signature() -> TensorSignature {
    TensorSignature { name: "t".into(), data_type: DataType::F32, shape: vec![1] }
}
