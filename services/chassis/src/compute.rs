use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

type Job = Box<dyn FnOnce() + Send>;

/// Why work was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ComputeError {
    /// The queue is full.
    #[error("the compute queue is full")]
    Full,
    /// The thread has ended.
    #[error("the compute thread has ended")]
    Gone,
    /// The work panicked; the thread lives on.
    #[error("the computation panicked: {0}")]
    Panicked(String),
}

/// Finished work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Computed<T> {
    /// Its result.
    pub value: T,
    /// How long it waited in the queue.
    pub waited: Duration,
}

/// A thread of its own for long computations, with a bounded queue. Ends when dropped, after the queued work.
#[derive(Debug, Clone)]
pub struct ComputeThread {
    jobs: mpsc::Sender<Job>,
}

impl ComputeThread {
    /// Starts a thread whose queue holds at most `capacity` pieces of work besides the one that runs.
    pub fn start(name: &str, capacity: usize) -> io::Result<Self> {
        let (jobs, mut queue) = mpsc::channel::<Job>(capacity.max(1));
        thread::Builder::new().name(name.to_owned()).spawn(move || {
            while let Some(job) = queue.blocking_recv() {
                job();
            }
        })?;
        Ok(Self { jobs })
    }

    /// Work that waits in the queue.
    pub fn queued(&self) -> usize {
        self.jobs.max_capacity() - self.jobs.capacity()
    }

    /// Whether the thread still takes work.
    pub fn is_alive(&self) -> bool {
        !self.jobs.is_closed()
    }

    /// Runs work on the thread and waits for its result. Work whose caller has gone before it began is skipped.
    pub async fn submit<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Computed<T>, ComputeError> {
        let (answer, result) = oneshot::channel();
        let queued = Instant::now();
        let job = move || {
            if answer.is_closed() {
                return;
            }
            let waited = queued.elapsed();
            let ended = catch_unwind(AssertUnwindSafe(work));
            let ended = ended.map_err(|panic| ComputeError::Panicked(text_of(panic.as_ref())));
            // A caller that has gone meanwhile needs no result.
            drop(answer.send(ended.map(|value| Computed { value, waited })));
        };
        self.jobs.try_send(Box::new(job)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => ComputeError::Full,
            mpsc::error::TrySendError::Closed(_) => ComputeError::Gone,
        })?;
        result.await.unwrap_or(Err(ComputeError::Gone))
    }
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without words".into())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc as sync_mpsc;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error_and_the_thread_lives_on() {
        let compute = ComputeThread::start("test", 4).unwrap();
        let panicked = compute.submit(|| panic!("on purpose")).await.map(|computed| computed.value);
        assert_eq!(panicked, Err::<(), _>(ComputeError::Panicked("on purpose".into())));
        assert_eq!(compute.submit(|| 2 + 2).await.unwrap().value, 4);
    }

    #[tokio::test]
    async fn a_full_queue_refuses() {
        let compute = ComputeThread::start("test", 1).unwrap();
        let (release, held) = sync_mpsc::channel::<()>();
        let (started, has_started) = oneshot::channel();
        let first = tokio::spawn({
            let compute = compute.clone();
            async move {
                compute
                    .submit(move || {
                        started.send(()).unwrap();
                        held.recv().unwrap();
                    })
                    .await
            }
        });
        has_started.await.unwrap();
        let mut second = Box::pin(compute.submit(|| 2));
        // Polled once, it is queued.
        assert!(futures::poll!(&mut second).is_pending());
        assert_eq!(compute.submit(|| 3).await.unwrap_err(), ComputeError::Full);
        release.send(()).unwrap();
        first.await.unwrap().unwrap();
        let computed = second.await.unwrap();
        assert!(computed.value == 2 && computed.waited > Duration::ZERO);
    }
}
