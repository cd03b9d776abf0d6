//! `splinter infer`: one picture through a running system.

use std::borrow::Cow;
use std::fs;

use anyhow::Context;
use broker::{Bus, subjects};
use schemas::{InferReply, InferRequest, Input, Millis, Qos};

use crate::arguments::InferArguments;
use crate::{connection, output, render};

/// Classifies the picture and prints the answer.
pub async fn run(arguments: InferArguments) -> anyhow::Result<()> {
    let picture = fs::read(&arguments.picture)
        .with_context(|| format!("cannot read the picture {}", arguments.picture.display()))?;
    let limit = Millis::new(arguments.latency_ms)?;
    let request = InferRequest {
        input: Input::Encoded { bytes: Cow::Borrowed(&picture) },
        qos: Some(Qos::within(limit)),
        policy: arguments.policy,
    };
    let bus = connection::connect(&arguments.broker, "splinter-infer").await?;
    let answer = ask(&bus, &arguments, &request, limit).await;
    bus.close().await;
    output::print(arguments.output.json, &answer?, text)
}

async fn ask(
    bus: &Bus,
    arguments: &InferArguments,
    request: &InferRequest<'_>,
    limit: Millis,
) -> anyhow::Result<InferReply> {
    let patience = (limit * 4.0).to_duration().max(connection::PATIENCE);
    let asked = bus.ask(subjects::infer(&arguments.model), patience, request).await;
    let answer = asked.map_err(|error| error.to_fault())?;
    schemas::decode(&answer.body).context("the gateway's answer is not readable")
}

fn text(reply: &InferReply) -> String {
    let classes: Vec<String> = reply
        .top
        .iter()
        .map(|class| format!("{:5.1} %  {} ({})", class.probability.get() * 100.0, class.label, class.index))
        .collect();
    let limit = if reply.within_limit { "within" } else { "over" };
    let mut lines = classes;
    lines.push(format!("{:.1}, {limit} the limit of {:.0}", reply.latency_ms, reply.limit_ms));
    lines.push(format!("{}, chosen by {}", reply.configuration, reply.policy));
    lines.push(format!("energy {}", render::joules(&reply.energy)));
    if let Some(fallback) = reply.fallback {
        lines.push(format!("fell back: {}", render::fallback(fallback)));
    }
    lines.join("\n")
}
