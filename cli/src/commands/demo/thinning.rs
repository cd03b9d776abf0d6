//! The demo's second act: the link thins and recovers while requests run.

use loadgen::replay::{link, live};
use loadgen::{Evaluation, PictureSet, Replay, Trace};
use schemas::{Bandwidth, Cut, LinkState, Millis, ModelName, PolicyName};
use serde::Serialize;

use crate::output::{self, say};
use crate::render;
use crate::site::Site;

/// Who plays: the default, the paper's rule, and the rule that cares for nothing but time.
const POLICIES: [PolicyName; 3] = [PolicyName::Adaptive, PolicyName::Dynasplit, PolicyName::Latency];

/// The thin link, as a busy radio's.
const THIN_MBIT: f64 = 2.0;
const THIN_RTT_MS: f64 = 10.0;

/// Requests of a phase at most, and how long they take: long enough for a policy to notice what the link does, and over
/// before the emulated link goes back by itself.
const GREATEST_PHASE: usize = 100;
const PHASE_MS: f64 = 5_000.0;

/// What the link does in a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It is as the front was measured over it.
    AsMeasured,
    /// It carries 2 Mbit/s.
    Thin,
    /// It is as before again.
    Recovered,
}

impl Phase {
    const ALL: [Self; 3] = [Self::AsMeasured, Self::Thin, Self::Recovered];

    fn name(self) -> &'static str {
        match self {
            Self::AsMeasured => "as measured",
            Self::Thin => "2 Mbit/s",
            Self::Recovered => "recovered",
        }
    }

    /// The link to ask for; `None` is that of the settings.
    fn link(self) -> Option<LinkState> {
        (self == Self::Thin).then(|| LinkState {
            bandwidth_mbit: Bandwidth::saturating(THIN_MBIT),
            rtt_ms: Millis::saturating(THIN_RTT_MS),
        })
    }
}

/// How one policy fared in one phase.
#[derive(Debug, Serialize)]
pub struct PhaseFigures {
    /// What the link did; it is emulated.
    pub link: Phase,
    /// What the policy achieved.
    #[serde(flatten)]
    pub figures: Evaluation,
}

/// What to replay.
pub struct Act<'a> {
    pub site: &'a Site,
    pub model: &'a ModelName,
    pub pictures: &'a PictureSet,
    pub trace: &'a Trace,
    pub last_cut: Cut,
}

impl Act<'_> {
    /// Replays the same requests in each phase, policy after policy.
    pub async fn play(&self) -> anyhow::Result<Vec<PhaseFigures>> {
        say("The link thins to 2 Mbit/s and recovers while requests run ...");
        let bus = self.site.bus();
        let edge = live::Site::look(bus).await?.edge(None)?;
        let trace = self.trace.first(GREATEST_PHASE).over(Millis::saturating(PHASE_MS));
        let mut found = Vec::new();
        for policy in POLICIES {
            let bar = output::progress(
                (trace.requests().len() * Phase::ALL.len()) as u64,
                &format!("policy {policy}"),
            );
            for phase in Phase::ALL {
                link::emulate(bus, &edge, phase.link()).await?;
                let replay = Replay { bus, model: self.model, pictures: self.pictures, policy };
                let records = replay.run(&trace, |_| bar.inc(1)).await;
                found.push(PhaseFigures {
                    link: phase,
                    figures: Evaluation::of(policy, &records, self.last_cut),
                });
            }
            bar.finish_and_clear();
        }
        Ok(found)
    }
}

/// The figures as people read them.
pub fn table(phases: &[PhaseFigures]) -> String {
    render::evaluations_by_link(phases.iter().map(|phase| (phase.link.name(), &phase.figures)))
}
