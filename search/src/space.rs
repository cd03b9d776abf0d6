//! The space of configurations: knobs, their values, and the rules that make combinations illegal.
//!
//! Only legal configurations exist here: [`Space::candidates`] makes them one by one, and nothing holds them all.

mod file;
mod presets;

use std::collections::BTreeSet;
use std::fmt;

pub use file::SpaceFile;
pub use presets::PRESETS;

use crate::error::Error;
use crate::knob::{Knob, Value};

/// One value for every knob, as places in the lists of the knobs' values, in the order of [`Knob::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Candidate([u16; Knob::ALL.len()]);

impl Candidate {
    /// The first value of every knob.
    pub(crate) const FIRST: Self = Self([0; Knob::ALL.len()]);

    /// The place of a knob's value in its list.
    pub const fn place(self, knob: Knob) -> usize {
        self.0[knob as usize] as usize
    }

    /// The same with another value of one knob.
    #[must_use]
    pub fn with(mut self, knob: Knob, place: usize) -> Self {
        // Lists of values are checked to be shorter than that when a space is made.
        self.0[knob as usize] = u16::try_from(place).unwrap_or(u16::MAX);
        self
    }
}

/// Where every value of `when` holds, the other knob must have one of the values of `only`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The knobs and the values that make the rule count; all of them must.
    pub when: Vec<(Knob, Vec<Value>)>,
    /// The knob that is bound, and what it may be.
    pub only: (Knob, Vec<Value>),
}

/// All that may be chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Space {
    values: [Vec<Value>; Knob::ALL.len()],
    rules: Vec<BoundRule>,
    /// When set, only these exist: the configurations that a recorded pool holds.
    only: Option<BTreeSet<Candidate>>,
}

/// A rule in places instead of values.
#[derive(Debug, Clone, PartialEq, Eq)]
struct BoundRule {
    when: Vec<(Knob, Vec<usize>)>,
    knob: Knob,
    only: Vec<usize>,
}

/// The most values of one knob: a network of thousands of positions is pruned before.
const MOST_VALUES: usize = 10_000;
/// The most combinations that are gone through, the illegal ones too. Enumerating so many takes seconds.
const MOST_COMBINATIONS: u64 = 100_000_000;

impl Space {
    /// A space of the knobs that are named; the others have the one value [`Value::AsItIs`].
    ///
    /// # Errors
    /// A knob named twice, without a value or with a value twice; too many combinations; no legal one.
    pub fn new(knobs: Vec<(Knob, Vec<Value>)>, rules: &[Rule]) -> Result<Self, Error> {
        let mut values: [Vec<Value>; Knob::ALL.len()] = Default::default();
        for (knob, given) in knobs {
            let distinct = given.iter().enumerate().all(|(place, value)| !given[..place].contains(value));
            if given.is_empty() || given.len() > MOST_VALUES || !distinct {
                return Err(Error::KnobValues { knob, most: MOST_VALUES });
            }
            let list = &mut values[knob as usize];
            if !list.is_empty() {
                return Err(Error::KnobTwice { knob });
            }
            *list = given;
        }
        for list in values.iter_mut().filter(|list| list.is_empty()) {
            list.push(Value::AsItIs);
        }
        let combinations =
            values.iter().try_fold(1_u64, |product, list| product.checked_mul(list.len() as u64));
        if combinations.is_none_or(|combinations| combinations > MOST_COMBINATIONS) {
            return Err(Error::TooManyCombinations { most: MOST_COMBINATIONS });
        }
        let can_turn = |rule: &&Rule| values[rule.only.0 as usize] != [Value::AsItIs];
        let rules = rules.iter().filter(can_turn).map(|rule| bind(rule, &values)).collect();
        let space = Self { rules, values, only: None };
        space.checked()
    }

    /// The same space with only some of its configurations.
    ///
    /// # Errors
    /// None of them is legal.
    pub fn restricted(mut self, only: BTreeSet<Candidate>) -> Result<Self, Error> {
        self.only = Some(only);
        self.checked()
    }

    /// The same space without the values that are not in `available`; knobs that are not named there stay.
    ///
    /// # Errors
    /// A knob has no value left, named in the error; or no legal combination is.
    pub fn intersected(self, available: &[(Knob, Vec<Value>)]) -> Result<Self, Error> {
        let rules: Vec<Rule> = self.rules.iter().map(|rule| self.unbind(rule)).collect();
        let mut knobs = Vec::new();
        for (knob, list) in Knob::ALL.into_iter().zip(self.values) {
            let offered = available.iter().find(|(named, _)| *named == knob).map(|(_, offered)| offered);
            let is_left = |value: &Value| {
                *value == Value::AsItIs || offered.is_none_or(|offered| offered.contains(value))
            };
            let left: Vec<Value> = list.iter().filter(|value| is_left(value)).cloned().collect();
            if left.is_empty() {
                let join =
                    |values: &[Value]| values.iter().map(Value::to_string).collect::<Vec<_>>().join(", ");
                let offered = offered.map(|offered| join(offered)).filter(|offered| !offered.is_empty());
                return Err(Error::NotOffered {
                    knob,
                    wanted: join(&list),
                    offered: offered.unwrap_or_else(|| "nothing".into()),
                });
            }
            knobs.push((knob, left));
        }
        Self::new(knobs, &rules)
    }

    fn checked(self) -> Result<Self, Error> {
        if self.candidates().next().is_none() { Err(Error::EmptySpace) } else { Ok(self) }
    }

    fn unbind(&self, rule: &BoundRule) -> Rule {
        let values_of = |knob: Knob, places: &[usize]| {
            places.iter().map(|&place| self.values(knob)[place].clone()).collect::<Vec<_>>()
        };
        Rule {
            when: rule.when.iter().map(|(knob, places)| (*knob, values_of(*knob, places))).collect(),
            only: (rule.knob, values_of(rule.knob, &rule.only)),
        }
    }

    /// A knob's values, in the order they were declared.
    pub fn values(&self, knob: Knob) -> &[Value] {
        &self.values[knob as usize]
    }

    /// What a knob is set to in a candidate of this space.
    pub fn value(&self, candidate: Candidate, knob: Knob) -> &Value {
        &self.values(knob)[candidate.place(knob)]
    }

    /// The candidate with these values; knobs that are not named take their first.
    pub fn candidate(&self, values: &[(Knob, Value)]) -> Option<Candidate> {
        let start = Candidate::FIRST;
        values.iter().try_fold(start, |candidate, (knob, value)| {
            let place = self.values(*knob).iter().position(|known| known == value)?;
            Some(candidate.with(*knob, place))
        })
    }

    /// Whether the candidate exists in this space.
    pub fn is_legal(&self, candidate: Candidate) -> bool {
        let exists = Knob::ALL.into_iter().all(|knob| candidate.place(knob) < self.values(knob).len());
        exists
            && self.obeys_rules(candidate)
            && self.only.as_ref().is_none_or(|only| only.contains(&candidate))
    }

    fn obeys_rules(&self, candidate: Candidate) -> bool {
        self.rules.iter().all(|rule| {
            let counts = rule.when.iter().all(|(knob, places)| places.contains(&candidate.place(*knob)));
            !counts || rule.only.contains(&candidate.place(rule.knob))
        })
    }

    /// Every legal candidate, ascending; made one by one.
    pub fn candidates(&self) -> impl Iterator<Item = Candidate> + '_ {
        // Of a space that is restricted, only what it is restricted to need be looked at.
        let mut next = self.only.is_none().then_some(Candidate::FIRST);
        let enumerated = std::iter::from_fn(move || {
            let current = next?;
            next = self.successor(current);
            Some(current)
        });
        let listed = self.only.iter().flatten().copied();
        listed.chain(enumerated).filter(|&candidate| self.is_legal(candidate))
    }

    /// How many legal candidates there are. Goes through all of them.
    pub fn count(&self) -> usize {
        self.candidates().count()
    }

    /// The next in the order of [`Candidate`]'s places, the last knob turning fastest.
    fn successor(&self, candidate: Candidate) -> Option<Candidate> {
        let mut next = candidate;
        for knob in Knob::ALL.into_iter().rev() {
            let place = next.place(knob) + 1;
            if place < self.values(knob).len() {
                return Some(next.with(knob, place));
            }
            next = next.with(knob, 0);
        }
        None
    }

    /// The legal candidate nearest to the given one, which may be illegal; itself when it is legal.
    ///
    /// Knobs that a rule binds are turned first: that costs nothing, as such a knob has no meaning there. Then a step of
    /// the clock, codec or threads counts 1, a cut 3, another edge accelerator 4, another cloud accelerator 20: the
    /// weights with which the field measured searches on recorded pools. Of equally near ones, the first.
    pub fn snap(&self, candidate: Candidate) -> Option<Candidate> {
        if self.is_legal(candidate) {
            return Some(candidate);
        }
        let obedient = self.obedient(candidate);
        if self.is_legal(obedient) {
            return Some(obedient);
        }
        self.candidates().min_by_key(|&legal| distance(obedient, legal))
    }

    /// The candidate with the bound knob of each broken rule turned to the first value that is allowed.
    fn obedient(&self, mut candidate: Candidate) -> Candidate {
        for rule in &self.rules {
            let counts = rule.when.iter().all(|(knob, places)| places.contains(&candidate.place(*knob)));
            if counts && !rule.only.contains(&candidate.place(rule.knob)) {
                candidate = candidate.with(rule.knob, rule.only.first().copied().unwrap_or_default());
            }
        }
        candidate
    }

    /// A candidate in words: the knobs that can be turned, with their values.
    pub fn describe(&self, candidate: Candidate) -> impl fmt::Display {
        let turned = Knob::ALL.into_iter().filter(|&knob| self.value(candidate, knob) != &Value::AsItIs);
        turned.map(|knob| format!("{knob} {}", self.value(candidate, knob))).collect::<Vec<_>>().join(", ")
    }
}

fn distance(one: Candidate, other: Candidate) -> usize {
    let weigh = |knob: Knob| {
        let apart = one.place(knob).abs_diff(other.place(knob));
        match knob {
            Knob::Cut => 3 * apart,
            Knob::EdgeFrequency | Knob::Codec | Knob::EdgeThreads => apart,
            Knob::EdgeAccelerator => 4 * apart.min(1),
            Knob::CloudAccelerator => 20 * apart.min(1),
        }
    };
    Knob::ALL.into_iter().map(weigh).sum()
}

/// Values that the knob lacks are left out.
fn bind(rule: &Rule, values: &[Vec<Value>; Knob::ALL.len()]) -> BoundRule {
    let places = |knob: Knob, wanted: &[Value]| {
        let list = values[knob as usize].iter().enumerate();
        list.filter(|(_, value)| wanted.contains(value)).map(|(place, _)| place).collect::<Vec<_>>()
    };
    let (knob, only) = &rule.only;
    BoundRule {
        when: rule.when.iter().map(|(knob, wanted)| (*knob, places(*knob, wanted))).collect(),
        knob: *knob,
        only: places(*knob, only),
    }
}

#[cfg(test)]
mod tests;
