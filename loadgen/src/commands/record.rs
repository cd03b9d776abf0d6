//! `loadgen record`: the requests of a running system as a trace.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use broker::subjects;
use clap::Args;
use command::{BrokerArguments, OutputArguments, connection, output};
use loadgen::trace::TraceFormat;
use loadgen::trace::capture::Capture;
use schemas::{ModelName, Receipt};
use serde::Serialize;
use tokio::time::Instant;

use super::{above_zero, made_by, stopping};

/// `loadgen record`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  loadgen record -o traffic.csv
  loadgen record -o traffic.csv --model mobilenetv2 --duration-s 600
  loadgen record -o traffic.csv --requests 1000

It follows the receipts that gateways publish, one a request, and writes the trace when it ends: after --duration-s or --requests, or
when it is interrupted. What a request looked like is not recorded: a replay sends pictures of its own.")]
pub struct RecordArguments {
    /// The trace to write
    #[arg(short = 'o', long = "trace", value_name = "FILE")]
    trace: PathBuf,
    /// Write over a file of that name
    #[arg(long)]
    force: bool,
    /// Only requests to this network
    #[arg(long)]
    model: Option<ModelName>,
    /// End after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = above_zero)]
    duration_s: Option<f64>,
    /// End after so many requests
    #[arg(long, value_name = "N", default_value_t = Capture::MOST, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=Capture::MOST as u64))]
    requests: usize,
    #[command(flatten)]
    #[allow(missing_docs)]
    broker: BrokerArguments,
    #[command(flatten)]
    #[allow(missing_docs)]
    output: OutputArguments,
}

/// What was recorded.
#[derive(Debug, Serialize)]
struct Recorded {
    requests: usize,
    /// Requests that were refused before it was known what they asked for.
    without_limit: usize,
    /// Messages that were no receipt.
    unreadable: usize,
}

/// A year: longer than anybody records.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3_600);

/// Records until it is told to stop, then writes.
pub async fn run(arguments: RecordArguments) -> anyhow::Result<()> {
    output::check_free(&arguments.trace, arguments.force)?;
    let (capture, unreadable) = record(&arguments).await?;
    let without_limit = capture.without_limit();
    let trace = capture.trace().with_context(|| {
        format!("no request was recorded, so {} is not written", arguments.trace.display())
    })?;
    let mut bytes = Vec::new();
    trace.write(&mut bytes, TraceFormat::Splinter, &made_by())?;
    output::write_whole(&arguments.trace, &bytes)?;
    let recorded = Recorded { requests: trace.requests().len(), without_limit, unreadable };
    output::print(arguments.output.json, &recorded, |recorded| {
        format!("wrote {} requests to {}", recorded.requests, arguments.trace.display())
    })
}

async fn record(arguments: &RecordArguments) -> anyhow::Result<(Capture, usize)> {
    let bus = connection::connect(&arguments.broker, "loadgen-record").await?;
    let subject = arguments.model.as_ref().map_or_else(subjects::receipt_any, subjects::receipt);
    let mut receipts = bus.subscribe(subject).await?;
    output::say("recording: interrupt to end");
    let bar = output::progress(arguments.requests as u64, "recording");
    let end = Instant::now() + arguments.duration_s.map_or(FOR_EVER, Duration::from_secs_f64);
    let mut stop = stopping();
    let (mut capture, mut unreadable) = (Capture::default(), 0);
    while capture.len() < arguments.requests {
        let message = tokio::select! {
            message = receipts.next() => message,
            () = tokio::time::sleep_until(end) => break,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Some(message) = message else { bail!("the connection to the broker was closed") };
        match schemas::decode::<Receipt>(&message.body) {
            Ok(receipt) => capture.add(&receipt),
            Err(_no_receipt) => unreadable += 1,
        }
        bar.set_position(capture.len() as u64);
    }
    bar.finish_and_clear();
    bus.close().await;
    Ok((capture, unreadable))
}
