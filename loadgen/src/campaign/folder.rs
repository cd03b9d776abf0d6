//! The results folder of a campaign: begun, or gone on with.

use std::path::PathBuf;
use std::sync::Arc;

use schemas::Front;

use super::{Material, Plan, PlannedRun, Summary};
use crate::error::LoadgenError;
use crate::results::{Manifest, Record, Results, ResultsWriter};

/// Hears how many requests of how many have ended.
pub type Progress = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// Where a campaign's results go.
#[derive(Debug, Clone)]
pub struct Destination {
    /// The folder.
    pub folder: PathBuf,
    /// How the program was called.
    pub command: String,
    /// Whether the folder is there already and was cut off.
    pub resume: bool,
}

/// A folder, and the runs that are left to make.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) writer: ResultsWriter,
    /// Of the runs that are complete.
    pub(super) records: Vec<Record>,
    pub(super) left: Vec<PlannedRun>,
}

impl Begun {
    /// Makes the folder, or finds out what is missing in it: runs that were cut off are done again.
    pub(super) fn begin(
        to: &Destination,
        manifest: Manifest,
        material: &Material,
        fronts: &[Front],
        plan: &Plan,
    ) -> Result<Self, LoadgenError> {
        if to.resume {
            return Self::resume(to, &manifest, plan);
        }
        let name = |file: &str| file.trim_start_matches("inputs/").to_owned();
        let files: Vec<_> =
            material.files.iter().map(|(entry, bytes)| (name(&entry.file), bytes.clone())).collect();
        let writer = ResultsWriter::create(&to.folder, manifest, &files, fronts)?;
        Ok(Self { writer, records: Vec::new(), left: plan.runs().to_vec() })
    }

    fn resume(to: &Destination, manifest: &Manifest, plan: &Plan) -> Result<Self, LoadgenError> {
        let (mut writer, mut records) = ResultsWriter::resume(&to.folder)?;
        let begun = writer.manifest();
        if begun.inputs != manifest.inputs || begun.driven != manifest.driven {
            let command = begun.command.clone();
            return Err(LoadgenError::OtherResults { path: to.folder.clone(), command });
        }
        let mut ended = vec![0; plan.runs().len()];
        for record in records.iter().filter(|record| !record.warm_up) {
            if let Some(ended) = ended.get_mut(record.key.run as usize) {
                *ended += 1;
            }
        }
        let done = |run: u32| {
            let planned = plan.runs().get(run as usize);
            planned.is_some_and(|planned| ended[run as usize] == planned.requests.len())
        };
        writer.set_aside(|run| !done(run))?;
        records.retain(|record| done(record.key.run));
        let left = plan.runs().iter().filter(|run| !done(run.key.run)).cloned().collect();
        Ok(Self { writer, records, left })
    }

    /// Requests of the runs that are left.
    pub(super) fn requests_left(&self) -> u64 {
        self.left.iter().map(|run| run.requests.len() as u64).sum()
    }
}

/// Sums up and says that everything is there.
pub(super) fn finish(writer: ResultsWriter, to: &Destination) -> Result<(Manifest, Summary), LoadgenError> {
    let summary = Summary::of(writer.manifest(), Results::open(&to.folder)?.records()?)?;
    let manifest = writer.finish(Some(&summary))?;
    Ok((manifest, summary))
}
