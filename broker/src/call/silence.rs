//! Which targets fell silent lately. A hung process keeps its subscription, and a queue group goes on choosing it; its
//! presence ends after three seconds, and until then only those who waited for it know. Pure code.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::subjects::Subject;

/// How long silence is held against a target: as long as a presence lives that is not renewed.
const REMEMBERED: Duration = Duration::from_secs(3);

/// Targets remembered at most; beyond, the one that fell silent first is forgotten. A site has some tens of executors.
const GREATEST: usize = 256;

/// The targets that fell silent, and when.
#[derive(Debug, Default)]
pub struct Silence(HashMap<Subject, Instant>);

impl Silence {
    /// Nobody answered there.
    pub fn fell(&mut self, target: &Subject, now: Instant) {
        self.0.retain(|_, since| now.saturating_duration_since(*since) < REMEMBERED);
        if self.0.len() >= GREATEST {
            let first = self.0.iter().min_by_key(|(_, since)| **since).map(|(target, _)| target.clone());
            if let Some(first) = first {
                self.0.remove(&first);
            }
        }
        self.0.insert(target.clone(), now);
    }

    /// An answer came from there.
    pub fn ended(&mut self, target: &Subject) {
        self.0.remove(target);
    }

    /// Whether it fell silent lately and has not answered since.
    pub fn holds(&self, target: &Subject, now: Instant) -> bool {
        self.0.get(target).is_some_and(|since| now.saturating_duration_since(*since) < REMEMBERED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(index: usize) -> Subject {
        Subject::received(&format!("somebody.{index}"))
    }

    #[test]
    fn silence_is_held_against_a_target_until_it_answers_or_time_passes() {
        let (mut silence, start) = (Silence::default(), Instant::now());
        silence.fell(&target(1), start);
        silence.fell(&target(2), start);
        silence.ended(&target(2));
        assert!(silence.holds(&target(1), start) && !silence.holds(&target(2), start));
        assert!(!silence.holds(&target(1), start + REMEMBERED));
    }

    #[test]
    fn no_more_than_the_bound_are_remembered_and_the_latest_are() {
        let (mut silence, start) = (Silence::default(), Instant::now());
        for index in 0..=GREATEST {
            silence.fell(&target(index), start + Duration::from_micros(index as u64));
        }
        assert_eq!(silence.0.len(), GREATEST);
        assert!(!silence.holds(&target(0), start) && silence.holds(&target(GREATEST), start));
    }
}
