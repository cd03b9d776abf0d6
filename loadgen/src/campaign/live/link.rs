//! Keeps an emulated link as a trace says.

use std::time::Duration;

use broker::Bus;
use schemas::{LinkState, Millis, NodeId};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::error::LoadgenError;
use crate::link::LinkTrace;
use crate::replay;
use crate::results::{LinkChange, Origin};

/// How often a state is asked for again: well before the hold of [`replay::link::HOLD`] ends.
const RENEW: Duration = Duration::from_secs(10);

/// A link that is to be kept.
#[derive(Debug)]
pub(super) struct LinkKeeper {
    pub(super) bus: Bus,
    /// The machine of the edge executor.
    pub(super) edge: NodeId,
    pub(super) trace: LinkTrace,
    /// The link's time when the run begins.
    pub(super) offset: Millis,
    pub(super) run: u32,
    pub(super) name: String,
}

/// A link that is being kept.
#[derive(Debug)]
pub(super) struct Keeping {
    end: oneshot::Sender<()>,
    task: JoinHandle<Result<Vec<LinkChange>, LoadgenError>>,
}

impl LinkKeeper {
    /// Sets the link's state of the run's begin.
    ///
    /// # Errors
    /// The edge executor refuses, or does not answer.
    pub(super) async fn hold_first(&self) -> Result<(), LoadgenError> {
        self.ask(Some(self.trace.at(self.offset))).await
    }

    /// Lets the link's time pass from now on.
    pub(super) fn go(self) -> Keeping {
        let (end, ended) = oneshot::channel();
        let task = tokio::spawn(self.keep(ended));
        Keeping { end, task }
    }

    async fn keep(self, mut ended: oneshot::Receiver<()>) -> Result<Vec<LinkChange>, LoadgenError> {
        let (began, mut changes, mut last) = (Instant::now(), Vec::new(), None);
        loop {
            let at_ms = Millis::from(began.elapsed());
            let now = self.offset + at_ms;
            let state = self.trace.at(now);
            self.ask(Some(state)).await?;
            let before = last.replace(state);
            if before != Some(state) {
                // The first state was set before the run began.
                let at_ms = if before.is_none() { Millis::ZERO } else { at_ms };
                let (run, link, origin) = (self.run, self.name.clone(), Origin::Emulated);
                changes.push(LinkChange { run, at_ms, link, state, origin });
            }
            let next = self.trace.next_change(now).map(|at| (at - self.offset).to_duration());
            let wake = began + next.unwrap_or(Duration::MAX).min(began.elapsed() + RENEW);
            tokio::select! {
                () = tokio::time::sleep_until(wake) => {}
                _ = &mut ended => break,
            }
        }
        self.ask(None).await?;
        Ok(changes)
    }

    async fn ask(&self, link: Option<LinkState>) -> Result<(), LoadgenError> {
        replay::link::emulate(&self.bus, &self.edge, link).await
    }
}

impl Keeping {
    /// Gives the link back, and tells how it changed.
    ///
    /// # Errors
    /// It could not be kept.
    pub(super) async fn end(self) -> Result<Vec<LinkChange>, LoadgenError> {
        // A task that has ended by itself has an error to tell.
        let _ended = self.end.send(());
        match self.task.await {
            Ok(kept) => kept,
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        }
    }
}
