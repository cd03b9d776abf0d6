//! The default strategy: measure what a model of the stages expects to improve the front most.

use std::collections::{BTreeMap, HashMap, VecDeque};

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::{Patience, StopRule, Strategy};
use crate::anchors;
use crate::greybox::{Model, Prediction};
use crate::hypervolume::{REFERENCE, hypervolume};
use crate::improvement::{Distribution, Undominated};
use crate::objectives::{Axis, Objectives, Scale, non_dominated};
use crate::observation::{CutFacts, Observation};
use crate::space::{Candidate, Space};

/// A front has to be good in milliseconds and in factors: on one kind of axis alone, what is small on it is left to
/// the end.
const AXES: [Axis; 2] = [Axis::Linear, Axis::Logarithmic];

/// Cuts of the line that are measured first, besides its ends and middle.
const COARSE_CUTS: usize = 5;

/// The strategy.
#[derive(Debug)]
pub struct Greybox {
    candidates: Vec<Candidate>,
    places: HashMap<Candidate, usize>,
    state: Vec<State>,
    anchors: VecDeque<Candidate>,
    model: Model,
    /// By place; of one that was measured again, what it turned out to be the last time.
    measured: BTreeMap<usize, Objectives>,
    patience: Option<Patience>,
    is_satisfied: bool,
    expected_gain: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Unknown,
    Pending,
    Done,
}

impl Greybox {
    /// A search of the whole space. `facts` are of the cuts, in the order of the knob's values, or empty. Without a stop rule
    /// it goes on until the space is exhausted.
    pub fn new(space: &Space, facts: &[CutFacts], seed: u64, stop: Option<StopRule>) -> Self {
        let candidates: Vec<Candidate> = space.candidates().collect();
        let places = candidates.iter().enumerate().map(|(place, &candidate)| (candidate, place)).collect();
        let mut anchors: VecDeque<Candidate> = anchors::corners(space).into();
        for candidate in anchors::coarse_line(space, COARSE_CUTS, &mut ChaCha8Rng::seed_from_u64(seed)) {
            if !anchors.contains(&candidate) {
                anchors.push_back(candidate);
            }
        }
        Self {
            model: Model::new(space, &candidates, facts),
            state: vec![State::Unknown; candidates.len()],
            candidates,
            places,
            anchors,
            measured: BTreeMap::new(),
            patience: stop.map(Patience::new),
            is_satisfied: false,
            expected_gain: None,
        }
    }

    /// The next by expected improvement, and the improvement as a share of the front's hypervolume.
    fn best(&self, lenses: &[Lens]) -> Option<(usize, f64)> {
        let gain = |place: usize| {
            let prediction = self.model.predict(place);
            (place, lenses.iter().map(|lens| lens.gain(prediction)).sum::<f64>() / lenses.len() as f64)
        };
        self.in_state(State::Unknown).map(gain).max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
    }

    fn choose(&mut self, count: usize) -> Vec<usize> {
        if self.measured.is_empty() {
            return self.blindly();
        }
        self.model.update();
        let under_way: Vec<Prediction> =
            self.in_state(State::Pending).map(|place| self.model.predict(place)).collect();
        let measured: Vec<Objectives> = self.measured.values().copied().collect();
        let mut lenses = AXES.map(|axis| Lens::new(axis, &measured, &under_way));
        let mut chosen = Vec::new();
        while chosen.len() < count {
            let Some((place, share)) = self.best(&lenses) else { break };
            if self.patience.as_mut().is_some_and(|patience| patience.is_exhausted_by(share)) {
                // What is still under way may change the model's mind.
                self.is_satisfied = !self.state.contains(&State::Pending);
                break;
            }
            self.expected_gain = Some(share);
            self.state[place] = State::Pending;
            let prediction = self.model.predict(place);
            for lens in &mut lenses {
                lens.assume(prediction);
            }
            chosen.push(place);
        }
        chosen
    }

    /// Before the first answer there is nothing to choose by. When everything so far has failed, one more may not.
    fn blindly(&mut self) -> Vec<usize> {
        if self.state.contains(&State::Pending) {
            return Vec::new();
        }
        let any = self.in_state(State::Unknown).next();
        any.into_iter().inspect(|&place| self.state[place] = State::Pending).collect()
    }

    fn in_state(&self, wanted: State) -> impl Iterator<Item = usize> + '_ {
        (0..self.state.len()).filter(move |&place| self.state[place] == wanted)
    }
}

/// The front as one kind of axis shows it.
struct Lens {
    scale: Scale,
    front: Vec<[f64; 3]>,
    undominated: Undominated,
    volume: f64,
}

impl Lens {
    /// What is under way counts as measured at its prediction, so that a batch is not all of one kind.
    fn new(axis: Axis, measured: &[Objectives], pending: &[Prediction]) -> Self {
        let scale = Scale::of(measured.iter().copied(), axis);
        let mut front: Vec<[f64; 3]> =
            non_dominated(measured).into_iter().map(|place| scale.place(measured[place])).collect();
        let least = least_step(&front);
        for point in &mut front {
            point[2] -= 0.5 * least;
        }
        let volume = hypervolume(&front, REFERENCE).max(f64::MIN_POSITIVE);
        front.extend(pending.iter().map(|prediction| middle(&scale, *prediction)));
        Self { undominated: Undominated::new(&front, REFERENCE), scale, front, volume }
    }

    fn assume(&mut self, prediction: Prediction) {
        self.front.push(middle(&self.scale, prediction));
        self.undominated = Undominated::new(&self.front, REFERENCE);
    }

    /// The expected improvement as a share of the front's hypervolume.
    fn gain(&self, prediction: Prediction) -> f64 {
        self.undominated.expected_improvement(on(&self.scale, prediction)) / self.volume
    }
}

/// The least step between the errors of a front: accuracy is a count of pictures, and what is predicted to be better
/// by a fraction of one is not better.
fn least_step(front: &[[f64; 3]]) -> f64 {
    let mut errors: Vec<f64> = front.iter().map(|point| point[2]).collect();
    errors.sort_by(f64::total_cmp);
    let steps = errors.windows(2).map(|pair| pair[1] - pair[0]).filter(|step| *step > 1e-9);
    steps.min_by(f64::total_cmp).unwrap_or(0.0)
}

/// A prediction in the unit cube of a scale.
fn on(scale: &Scale, prediction: Prediction) -> [Distribution; 3] {
    let Prediction { log_latency, log_energy, error } = prediction;
    [scale.logarithm(0, log_latency), scale.logarithm(1, log_energy), scale.plain(2, error)]
}

/// The middle of a prediction.
fn middle(scale: &Scale, prediction: Prediction) -> [f64; 3] {
    on(scale, prediction).map(|value| value.quantile(0.0))
}

impl Strategy for Greybox {
    fn ask(&mut self, count: usize) -> Vec<Candidate> {
        let mut asked = Vec::new();
        while asked.len() < count {
            let Some(anchor) = self.anchors.pop_front() else { break };
            let Some(&place) = self.places.get(&anchor) else { continue };
            if self.state[place] == State::Unknown {
                self.state[place] = State::Pending;
                asked.push(anchor);
            }
        }
        if asked.len() < count && !self.is_finished() {
            let chosen = self.choose(count - asked.len());
            asked.extend(chosen.into_iter().map(|place| self.candidates[place]));
        }
        asked
    }

    fn tell(&mut self, candidate: Candidate, observation: &Observation) {
        let Some(&place) = self.places.get(&candidate) else { return };
        self.state[place] = State::Done;
        self.measured.insert(place, observation.objectives());
        self.model.observe(place, observation);
    }

    fn failed(&mut self, candidate: Candidate) {
        if let Some(&place) = self.places.get(&candidate) {
            self.state[place] = State::Done;
        }
    }

    fn is_finished(&self) -> bool {
        self.is_satisfied || !self.state.contains(&State::Unknown)
    }

    fn prediction(&self, candidate: Candidate) -> Option<Prediction> {
        self.places.get(&candidate).map(|&place| self.model.predict(place))
    }

    fn expected_gain(&self) -> Option<f64> {
        self.expected_gain
    }
}
