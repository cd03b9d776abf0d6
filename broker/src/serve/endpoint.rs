//! What is served: subjects, and how much at once.

use std::sync::Arc;

use schemas::Fault;
use tokio::sync::Semaphore;

use super::message::Request;
use crate::subjects::Subject;

/// How many requests an instance takes at once. Clones share the count, so that several endpoints of one instance
/// may take so many together.
#[derive(Debug, Clone)]
pub struct Credits {
    capacity: u32,
    pub(super) free: Arc<Semaphore>,
}

impl Credits {
    /// So many at once.
    pub fn new(capacity: u32) -> Self {
        Self { capacity, free: Arc::new(Semaphore::new(capacity as usize)) }
    }

    /// Requests that would be taken now.
    pub fn free(&self) -> u32 {
        u32::try_from(self.free.available_permits()).unwrap_or(u32::MAX)
    }

    /// Requests taken at most at once.
    pub fn capacity(&self) -> u32 {
        self.capacity
    }
}

/// What hears of refused requests.
#[derive(Clone)]
pub(super) struct RefusalObserver(pub(super) Arc<Observe>);

pub(super) type Observe = dyn Fn(&Request, &Fault) + Send + Sync;

impl std::fmt::Debug for RefusalObserver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RefusalObserver")
    }
}

/// The subjects of one kind of work, and how much of it is taken at once.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub(super) credits: Credits,
    /// Each with whether all instances share it.
    pub(super) subjects: Vec<(Subject, bool)>,
    pub(super) refusals: Option<RefusalObserver>,
}

impl Endpoint {
    /// Takes at most `capacity` requests at once, over all its subjects.
    pub fn new(capacity: u32) -> Self {
        Self::with_credits(&Credits::new(capacity))
    }

    /// Takes requests as long as there are credits, which other endpoints may share.
    pub fn with_credits(credits: &Credits) -> Self {
        Self { credits: credits.clone(), subjects: Vec::new(), refusals: None }
    }

    /// Tells of every request that is refused before the handler sees it: its deadline had passed, or the instance
    /// is leaving or full. Called on the way of every other request, so it must not wait.
    #[must_use]
    pub fn on_refusal(mut self, observer: impl Fn(&Request, &Fault) + Send + Sync + 'static) -> Self {
        self.refusals = Some(RefusalObserver(Arc::new(observer)));
        self
    }

    /// Adds a subject that all instances share: each request goes to one of them.
    #[must_use]
    pub fn shared(mut self, subject: Subject) -> Self {
        self.subjects.push((subject, true));
        self
    }

    /// Adds a subject of this instance alone.
    #[must_use]
    pub fn own(mut self, subject: Subject) -> Self {
        self.subjects.push((subject, false));
        self
    }
}
