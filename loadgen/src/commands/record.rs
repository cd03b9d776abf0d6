//! `loadgen record`: the requests of a running system as a trace.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use broker::{Subscription, subjects};
use clap::Args;
use command::{BrokerArguments, OutputArguments, connection, output};
use loadgen::LoadgenError;
use loadgen::trace::TraceFormat;
use loadgen::trace::capture::{self, Capture, CutOff};
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
  loadgen record -o traffic.csv --recover

It follows the receipts that gateways publish, one a request, and ends after --duration-s or --requests, or when it is interrupted. \
What a request looked like is not recorded: a replay sends pictures of its own.

Until then FILE is not there: each request is written to FILE.partial as its receipt comes. A trace has its requests by when they \
arrived, which is known at the end only; then FILE is written, whole, and FILE.partial goes. After a crash, a full disk or a lost broker \
FILE.partial stays with all that was recorded; no command takes it for a trace, and --recover makes one of it.")]
pub struct RecordArguments {
    /// The trace to write
    #[arg(short = 'o', long = "trace", value_name = "FILE")]
    trace: PathBuf,
    /// Write over a file of that name
    #[arg(long)]
    force: bool,
    /// Record nothing: make the trace of what an earlier recording left that was cut off
    #[arg(long, conflicts_with_all = ["model", "duration_s", "requests"])]
    recover: bool,
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
    /// What came besides; a recording that was cut off cannot tell any more.
    #[serde(flatten)]
    besides: Option<Besides>,
}

/// What was received and is in no trace.
#[derive(Debug, Serialize)]
struct Besides {
    /// Requests that were refused before it was known what they asked for.
    without_limit: usize,
    /// Messages that were no receipt.
    unreadable: usize,
}

/// A year: longer than anybody records.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3_600);

/// Records until it is told to stop, then writes the trace.
pub async fn run(arguments: RecordArguments) -> anyhow::Result<()> {
    let path = &arguments.trace;
    output::check_free(path, arguments.force)?;
    let (captured, besides) = if arguments.recover {
        (CutOff::find(path)?, None)
    } else {
        let (captured, besides) = record(&arguments).await?;
        (captured, Some(besides))
    };
    let requests = write(path, captured)?;
    output::print(arguments.output.json, &Recorded { requests, besides }, |recorded| {
        format!("wrote {} requests to {}", recorded.requests, path.display())
    })
}

/// Makes the trace of what was captured, which stays until the trace is there, and says how many requests it has.
fn write(path: &Path, captured: CutOff) -> anyhow::Result<usize> {
    let trace = match captured.trace() {
        Err(LoadgenError::Empty { .. }) => {
            captured.remove()?;
            bail!("no request was recorded, so {} is not written", path.display());
        }
        trace => trace?,
    };
    let mut bytes = Vec::new();
    trace.write(&mut bytes, TraceFormat::Splinter, &made_by())?;
    output::write_whole(path, &bytes).with_context(|| stays(path))?;
    captured.remove()?;
    Ok(trace.requests().len())
}

/// Where to find what was recorded when something goes wrong.
fn stays(trace: &Path) -> String {
    let partial = capture::partial(trace);
    format!("what was recorded stays in {}, --recover makes a trace of it", partial.display())
}

async fn record(arguments: &RecordArguments) -> anyhow::Result<(CutOff, Besides)> {
    let bus = connection::connect(&arguments.broker, "loadgen-record").await?;
    let subject = arguments.model.as_ref().map_or_else(subjects::receipt_any, subjects::receipt);
    let mut receipts = bus.subscribe(subject).await?;
    let mut capture = Capture::begin(&arguments.trace)?;
    output::say("recording: interrupt to end");
    let followed = follow(&mut receipts, &mut capture, arguments).await;
    bus.close().await;
    let (without_limit, empty) = (capture.without_limit(), capture.is_empty());
    let captured = capture.end();
    match followed {
        Ok(unreadable) => Ok((captured, Besides { without_limit, unreadable })),
        Err(error) if empty => {
            captured.remove()?;
            Err(error)
        }
        Err(error) => Err(error.context(stays(&arguments.trace))),
    }
}

/// Captures what comes until the end, and counts what was no receipt.
async fn follow(
    receipts: &mut Subscription,
    capture: &mut Capture,
    arguments: &RecordArguments,
) -> anyhow::Result<usize> {
    let bar = output::progress(arguments.requests as u64, "recording");
    let end = Instant::now() + arguments.duration_s.map_or(FOR_EVER, Duration::from_secs_f64);
    let mut stop = stopping();
    let mut unreadable = 0;
    while capture.len() < arguments.requests {
        let message = tokio::select! {
            message = receipts.next() => message,
            () = tokio::time::sleep_until(end) => break,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Some(message) = message else { bail!("the connection to the broker was closed") };
        match schemas::decode::<Receipt>(&message.body) {
            Ok(receipt) => capture.add(&receipt)?,
            Err(_no_receipt) => unreadable += 1,
        }
        bar.set_position(capture.len() as u64);
    }
    bar.finish_and_clear();
    Ok(unreadable)
}
