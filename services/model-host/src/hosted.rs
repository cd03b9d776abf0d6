use std::time::Instant;

use models::{Accelerator, Bundle, ModelError, Network};
use schemas::{Cut, Millis, ModelDescription, ServedModel, Tensor};
use tracing::warn;

/// Runs before a network counts as warm; the fastest of them is its time.
const WARM_UP_RUNS: usize = 3;

/// Least share of the whole network's time that a tail is taken to need, however few operations it has.
const LEAST_TAIL_SHARE: f64 = 0.05;

/// A network that is loaded and warm.
#[derive(Debug)]
pub struct Hosted {
    /// Its files.
    pub bundle: Bundle,
    /// The network on the processor, which every executor has.
    pub network: Network,
    /// The same on the other accelerators that were asked for and are there.
    beside: Vec<Network>,
    /// What it is and where it can be cut.
    pub description: ModelDescription,
    /// The time of the whole network here, one request at a time.
    pub whole_time: Millis,
}

impl Hosted {
    /// Loads a network and runs it until it is warm, on the processor and on the accelerators given; one that is not there
    /// is said in the log and left out. Takes seconds; not for async threads.
    pub fn load(bundle: Bundle, accelerators: &[Accelerator]) -> Result<Self, ModelError> {
        let network = Network::load(&bundle, Accelerator::Cpu)?;
        let description = network.describe(bundle.name(), bundle.labels());
        let shape = description.input.shape.clone();
        let elements = usize::try_from(shape.iter().product::<u64>()).unwrap_or(usize::MAX);
        let input = Tensor::from_f32(shape, &vec![0.0; elements])?;
        let whole_time = warm(&network, &input)?;
        let others = accelerators.iter().filter(|accelerator| **accelerator != Accelerator::Cpu);
        let load = |accelerator: &Accelerator| {
            let network = network.load_beside(&bundle, *accelerator);
            let warmed = network.and_then(|network| warm(&network, &input).map(|_| network));
            warmed
                .inspect_err(
                    |error| warn!(model = %bundle.name(), %accelerator, problem = %error, "left out"),
                )
                .ok()
        };
        let beside = others.filter_map(load).collect();
        Ok(Self { bundle, network, beside, description, whole_time })
    }

    /// The network on an accelerator; `None` where this executor has not got it there.
    pub fn on(&self, accelerator: Accelerator) -> Option<&Network> {
        std::iter::once(&self.network)
            .chain(&self.beside)
            .find(|network| network.accelerator() == accelerator)
    }

    /// About how long the tail after a cut takes here: its share of the multiply-accumulates. An estimate, for
    /// deadlines only.
    pub fn tail_time(&self, cut: Cut) -> Millis {
        let cuts = &self.description.cuts;
        let whole = cuts.first().map_or(0, |all| all.macs_after);
        let after = cuts.iter().find(|one| one.cut == cut).map_or(0, |one| one.macs_after);
        let share = if whole == 0 { 1.0 } else { after as f64 / whole as f64 };
        self.whole_time * share.max(LEAST_TAIL_SHARE)
    }

    /// The entry for the presence.
    pub fn served(&self) -> ServedModel {
        ServedModel {
            name: self.bundle.name().clone(),
            digest: self.bundle.digest().clone(),
            last_cut: self.network.last_cut(),
            input: self.description.input.clone(),
            output: self.description.output.clone(),
            accelerators: std::iter::once(&self.network)
                .chain(&self.beside)
                .map(Network::accelerator)
                .collect(),
        }
    }
}

/// Runs a network until it is warm; gives the fastest run's time.
fn warm(network: &Network, input: &Tensor<'_>) -> Result<Millis, ModelError> {
    let mut fastest = f64::INFINITY;
    for _ in 0..WARM_UP_RUNS {
        let start = Instant::now();
        network.run(input)?;
        fastest = fastest.min(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(Millis::saturating(fastest))
}
