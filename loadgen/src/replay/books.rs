//! Runs whose records go to disk as they come.

use std::sync::Arc;
use std::time::{Duration, Instant};

use broker::Fronts;
use schemas::Millis;
use tokio::sync::{mpsc, watch};

use super::account::Knowledge;
use super::sending::{Due, Ended, Sending};
use super::tally::Tally;
use crate::error::LoadgenError;
use crate::results::{Record, ResultsWriter, RunKey};

/// Outcomes that may wait to be written: a disk that is slower for a second holds nothing up, and memory stays small.
const WAITING: usize = 4_096;

/// How often what was written is brought to the disk for sure.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// A run's requests.
#[derive(Debug, Clone)]
pub struct Run {
    /// What its records carry.
    pub key: RunKey,
    /// Whether they count in no figure.
    pub warm_up: bool,
    /// The requests.
    pub dues: Vec<Due>,
    /// The trace's time at which it begins.
    pub begin: Millis,
}

/// How a run came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunEnd {
    /// Every request has ended.
    Complete,
    /// It was told to stop.
    Stopped,
}

/// What hears of each record.
type Hear = Box<dyn FnMut(&Record) + Send>;

/// Where records are written and counted.
pub struct Books {
    /// The results folder.
    pub writer: ResultsWriter,
    /// Everything that counted so far.
    pub tally: Tally,
    /// What answers are understood by.
    pub knowledge: Knowledge,
    /// The published fronts, where they can be seen.
    pub fronts: Option<Arc<Fronts>>,
    /// Hears of each record.
    pub hear: Hear,
}

impl std::fmt::Debug for Books {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Books").field("writer", &self.writer).finish_non_exhaustive()
    }
}

impl Books {
    /// Sends the requests of a run and writes a record of each, on a thread of its own. Gives the books back with what was written.
    ///
    /// # Errors
    /// A record cannot be written; the run ends at once.
    pub async fn run(
        self,
        sending: &Sending,
        run: Run,
        stop: &watch::Receiver<bool>,
    ) -> Result<(Self, RunEnd), LoadgenError> {
        let Run { key, warm_up, dues, begin } = run;
        let (tell, told) = mpsc::channel(WAITING);
        let writing = tokio::task::spawn_blocking(move || self.write(&key, warm_up, told));
        let mut stop = stop.clone();
        let end = tokio::select! {
            // A receiver that is gone has an error to tell, below.
            _ended = sending.run(dues, begin, &tell) => RunEnd::Complete,
            // A sender that is gone will never say stop.
            Ok(_) = stop.wait_for(|stop| *stop) => RunEnd::Stopped,
        };
        drop(tell);
        let books = match writing.await {
            Ok(books) => books?,
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        };
        Ok((books, end))
    }

    fn write(
        mut self,
        key: &RunKey,
        warm_up: bool,
        mut told: mpsc::Receiver<Ended>,
    ) -> Result<Self, LoadgenError> {
        let mut synced = Instant::now();
        while let Some(ended) = told.blocking_recv() {
            self.look_up(&ended)?;
            let record = self.knowledge.record(key, warm_up, ended);
            self.writer.record(&record)?;
            self.tally.add(&record);
            (self.hear)(&record);
            if synced.elapsed() >= SYNC_EVERY {
                self.writer.sync()?;
                synced = Instant::now();
            }
        }
        self.writer.sync()?;
        Ok(self)
    }

    /// A front that was published since is fetched when the first answer names it.
    fn look_up(&mut self, ended: &Ended) -> Result<(), LoadgenError> {
        let (Ok(reply), Some(fronts)) = (&ended.outcome, &self.fronts) else { return Ok(()) };
        let Some(id) = reply.front.filter(|id| !self.knowledge.fronts.contains_key(id)) else {
            return Ok(());
        };
        let found = fronts.for_model(&reply.model).into_iter().find(|front| front.id == id);
        if let Some(front) = found {
            self.writer.front(&front)?;
            self.knowledge.add(front);
        }
        Ok(())
    }
}
