//! The commands, one a module: its options first, then what it does.

pub mod check;
pub mod evaluate;
pub mod record;
pub mod replay;
pub mod report;
pub mod reproduce;
pub mod simulate;
mod table;
pub mod trace;

use std::collections::BTreeSet;

use loadgen::results::{InputFile, Origin};
use schemas::{Digest, PolicyName};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

/// The program, its version and its arguments: with them anybody makes the same file again.
fn made_by() -> String {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    format!("loadgen {}: loadgen {}", env!("CARGO_PKG_VERSION"), arguments.join(" "))
}

/// A number above zero, as the command line's parser wants it read.
fn above_zero(text: &str) -> Result<f64, String> {
    let value = text.parse::<f64>().ok().filter(|value| value.is_finite() && *value > 0.0);
    value.ok_or_else(|| "use a number above 0".into())
}

/// A policy that a running system has.
fn live_policy(text: &str) -> Result<PolicyName, String> {
    let policy = text.parse::<PolicyName>().map_err(|error| error.to_string())?;
    let here = PolicyName::ALL.contains(&policy);
    here.then_some(policy)
        .ok_or_else(|| format!("no scheduler has the policy {policy}: it is for simulations"))
}

/// What becomes true when the program is told to stop.
fn stopping() -> watch::Receiver<bool> {
    let (tell, told) = watch::channel(false);
    tokio::spawn(async move {
        // Without a handler the signal ends the program, as it does everywhere.
        if chassis::shutdown_signal().await.is_ok() {
            tell.send_replace(true);
        }
        tell.closed().await;
    });
    told
}

/// A file for the inputs of a results folder.
fn input(name: &str, from: &str, bytes: &[u8]) -> InputFile {
    let digest = Digest::from_bytes(Sha256::digest(bytes).into());
    InputFile { file: format!("inputs/{name}"), digest, from: from.to_owned() }
}

/// Where numbers come from, in words.
fn origins(origins: &BTreeSet<Origin>) -> String {
    let word = |origin: &Origin| match origin {
        Origin::Measured => "measured",
        Origin::Attributed => "attributed",
        Origin::Modelled => "modelled",
        Origin::Emulated => "emulated",
        Origin::Simulated => "simulated",
    };
    origins.iter().map(word).collect::<Vec<_>>().join(", ")
}
