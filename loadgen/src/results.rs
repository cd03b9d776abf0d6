//! Results folders: everything that a replay or a campaign measured, and everything needed to repeat it.
//!
//! ```text
//! DIR/
//!   manifest.json       what was done, with what and where; says the format's version
//!   records.jsonl       one line a request, in the order in which they ended
//!   links.jsonl         every change of an emulated or simulated link; missing where none was
//!   fronts/*.json       the fronts that were decided on, as `splinter front export` writes them
//!   inputs/*            copies of the files that were read: the campaign, traces, links, pools, fronts
//!   summary.json        the figures of a campaign that is done; made from the rest, so it may be missing
//!   interrupted.jsonl   records of runs that were cut off and done again; nobody needs to read them
//! ```
//!
//! - [`Manifest`], [`Record`], [`LinkChange`]: what the files hold. Every field says when it may be missing.
//! - [`Results`]: reads a folder; one of another version is refused.
//! - [`ResultsWriter`]: makes a folder, or goes on with one that was cut off.
//!
//! A [`Record`] belongs to a *run*: so many requests of one trace, sent to one network under one policy over one link. Runs are
//! numbered in the order in which they were started; runs of the same network, trace, link, round and block and of different policies
//! sent the same requests, and are what is compared in pairs.

mod manifest;
mod reader;
mod record;
mod writer;

pub use manifest::{
    Driven, FrontFile, InputFile, LinkUsed, Machine, Manifest, ModelUsed, RESULTS_VERSION, TraceUsed,
};
pub use reader::{Records, Results};
pub use record::{Answer, Ending, FrontUsed, LinkChange, Origin, PlacedEnergy, Record, RunKey, TimedStage};
pub use writer::ResultsWriter;

/// The file that says what a results folder is.
const MANIFEST: &str = "manifest.json";
/// The records.
const RECORDS: &str = "records.jsonl";
/// The changes of links.
const LINKS: &str = "links.jsonl";
/// Records of runs that were cut off.
const INTERRUPTED: &str = "interrupted.jsonl";
/// The fronts.
const FRONTS: &str = "fronts";
/// Copies of what was read.
const INPUTS: &str = "inputs";
/// The figures of a campaign.
const SUMMARY: &str = "summary.json";

#[cfg(test)]
mod tests;
