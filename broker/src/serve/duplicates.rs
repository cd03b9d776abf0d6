//! Remembers requests by id, so that a repeated one is not run again. Pure code.

use std::collections::{HashMap, VecDeque};

use schemas::RequestId;

/// Answers that are kept; a retry comes within seconds of its first attempt.
const MOST_KEPT: usize = 1_024;

/// Bytes of answers that are kept: outputs are small, this bounds the odd large ones.
const MOST_KEPT_BYTES: usize = 32 << 20;

#[derive(Debug)]
enum State<R, A> {
    Running(Vec<R>),
    Finished(A),
}

/// What to do with a request.
#[derive(Debug, PartialEq)]
pub enum Arrival<A> {
    /// Run it.
    New,
    /// It runs already: its new caller will be answered with the first.
    Running,
    /// It has run: answer this.
    Finished(A),
}

/// Requests that run, with those who wait for them (`R`), and answers of those that have run (`A`).
#[derive(Debug)]
pub struct Duplicates<R, A> {
    states: HashMap<RequestId, State<R, A>>,
    finished: VecDeque<(RequestId, usize)>,
    kept_bytes: usize,
}

impl<R: Clone, A: Clone> Duplicates<R, A> {
    pub fn new() -> Self {
        Self { states: HashMap::new(), finished: VecDeque::new(), kept_bytes: 0 }
    }

    /// A request arrived from `caller`. When it is new the caller becomes the first who waits for it.
    pub fn arrive(&mut self, id: RequestId, caller: &R) -> Arrival<A> {
        match self.states.get_mut(&id) {
            None => Arrival::New,
            Some(State::Running(callers)) => {
                callers.push(caller.clone());
                Arrival::Running
            }
            Some(State::Finished(answer)) => Arrival::Finished(answer.clone()),
        }
    }

    /// The request begins to run.
    pub fn begin(&mut self, id: RequestId, caller: R) {
        self.states.insert(id, State::Running(vec![caller]));
    }

    /// The request has run; returns who waits. `keep` is the answer for later repetitions and its size, `None`
    /// when a repetition should run again.
    pub fn finish(&mut self, id: RequestId, keep: Option<(A, usize)>) -> Vec<R> {
        let callers = match self.states.remove(&id) {
            Some(State::Running(callers)) => callers,
            _ => Vec::new(),
        };
        if let Some((answer, bytes)) = keep {
            self.states.insert(id, State::Finished(answer));
            self.finished.push_back((id, bytes));
            self.kept_bytes += bytes;
            self.forget_oldest();
        }
        callers
    }

    fn forget_oldest(&mut self) {
        while self.finished.len() > MOST_KEPT || self.kept_bytes > MOST_KEPT_BYTES {
            let Some((id, bytes)) = self.finished.pop_front() else { return };
            self.kept_bytes -= bytes;
            self.states.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repetition_waits_with_the_first_and_later_ones_get_the_kept_answer() {
        let mut seen = Duplicates::new();
        let id = RequestId::fresh();
        assert_eq!(seen.arrive(id, &"a"), Arrival::New);
        seen.begin(id, "a");
        assert_eq!(seen.arrive(id, &"b"), Arrival::Running);
        assert_eq!(seen.finish(id, Some(("answer", 6))), ["a", "b"]);
        assert_eq!(seen.arrive(id, &"c"), Arrival::Finished("answer"));
    }

    #[test]
    fn an_answer_that_is_not_kept_lets_a_repetition_run() {
        let mut seen: Duplicates<_, ()> = Duplicates::new();
        let id = RequestId::fresh();
        seen.begin(id, 1);
        assert_eq!(seen.finish(id, None), [1]);
        assert_eq!(seen.arrive(id, &2), Arrival::New);
    }

    #[test]
    fn memory_is_bounded_by_count_and_by_bytes() {
        let mut seen = Duplicates::new();
        let first = RequestId::fresh();
        seen.begin(first, ());
        seen.finish(first, Some(((), MOST_KEPT_BYTES)));
        assert_eq!(seen.arrive(first, &()), Arrival::Finished(()));
        for _ in 0..2 * MOST_KEPT {
            let id = RequestId::fresh();
            seen.begin(id, ());
            seen.finish(id, Some(((), 1)));
        }
        assert_eq!(seen.arrive(first, &()), Arrival::New);
        assert_eq!(
            (seen.states.len(), seen.finished.len(), seen.kept_bytes),
            (MOST_KEPT, MOST_KEPT, MOST_KEPT)
        );
    }
}
