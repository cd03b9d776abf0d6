//! Pools of threads for configurations that say how many compute.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};
use schemas::{Fault, FaultKind};

/// Runs work on so many threads. The pool of each number is made once and stays: there are at most as many as cores.
pub(crate) fn on<T: Send>(threads: NonZeroU16, work: impl FnOnce() -> T + Send) -> Result<T, Fault> {
    Ok(pool(threads)?.install(work))
}

fn pool(threads: NonZeroU16) -> Result<Arc<ThreadPool>, Fault> {
    static POOLS: Mutex<BTreeMap<usize, Arc<ThreadPool>>> = Mutex::new(BTreeMap::new());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = usize::from(threads.get());
    if threads > cores {
        let text = format!("{threads} threads are more than the {cores} cores here");
        return Err(Fault::new(FaultKind::BadRequest, text));
    }
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pool) = pools.get(&threads) {
        return Ok(pool.clone());
    }
    let made = ThreadPoolBuilder::new().num_threads(threads).build();
    let made = made.map_err(|error| Fault::new(FaultKind::Internal, format!("no threads: {error}")))?;
    Ok(pools.entry(threads).or_insert(Arc::new(made)).clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_runs_on_as_many_threads_as_asked_for() {
        let one = on(NonZeroU16::MIN, rayon::current_num_threads).unwrap();
        assert_eq!(one, 1);
        assert_eq!(on(NonZeroU16::MIN, || 2 + 2).unwrap(), 4);
    }

    #[test]
    fn more_threads_than_cores_are_refused() {
        let refused = on(NonZeroU16::MAX, || ()).unwrap_err();
        assert_eq!(refused.kind, FaultKind::BadRequest);
    }
}
