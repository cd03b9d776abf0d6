//! `space.toml`: a space as a person writes it.
//!
//! ```toml
//! [knobs]
//! cut = { from = 0, to = 22 }          # or a list: [0, 4, 22]
//! edge-frequency = ["600 MHz", "1800 MHz"]
//! edge-accelerator = ["off", "std", "max"]
//! cloud-accelerator = ["off", "on"]
//!
//! [[rule]]                             # the accelerator has no meaning where nothing runs on the edge
//! when = { cut = "0" }
//! only = { edge-accelerator = "off" }
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{PRESETS, Rule, Space};
use crate::error::Error;
use crate::knob::{Knob, Value};

/// A space's text, read and understood but not yet enumerated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceFile {
    knobs: Vec<(Knob, Vec<Value>)>,
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    knobs: BTreeMap<Knob, Declared>,
    #[serde(default)]
    rule: Vec<DeclaredRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeclaredRule {
    when: BTreeMap<Knob, Declared>,
    only: BTreeMap<Knob, Declared>,
}

/// One value, a list of values, or a range of numbers.
#[derive(Deserialize)]
#[serde(untagged)]
enum Declared {
    One(Scalar),
    List(Vec<Scalar>),
    Range { from: u16, to: u16 },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Number(u64),
    Text(String),
}

impl SpaceFile {
    /// Reads a space's text. `name` is said in errors: the file or preset it comes from.
    ///
    /// # Errors
    /// Text that is not TOML of this form, or values that their knobs cannot have.
    pub fn parse(text: &str, name: &str) -> Result<Self, Error> {
        let unusable = |problem: String| Error::SpaceFile { file: name.to_owned(), problem };
        let document: Document = toml::from_str(text).map_err(|error| unusable(error.to_string()))?;
        let read = |(knob, declared): (Knob, Declared)| {
            let values = declared.values(knob).map_err(|error| unusable(error.to_string()))?;
            Ok::<_, Error>((knob, values))
        };
        let knobs = document.knobs.into_iter().map(read).collect::<Result<_, _>>()?;
        let mut rules = Vec::new();
        for rule in document.rule {
            let when: Vec<(Knob, Vec<Value>)> = rule.when.into_iter().map(read).collect::<Result<_, _>>()?;
            if when.is_empty() || rule.only.is_empty() {
                return Err(unusable("a rule needs a knob in `when` and a knob in `only`".into()));
            }
            for only in rule.only {
                rules.push(Rule { when: when.clone(), only: read(only)? });
            }
        }
        Ok(Self { knobs, rules })
    }

    /// One of [`PRESETS`] by name.
    ///
    /// # Errors
    /// No preset has that name.
    pub fn preset(name: &str) -> Result<Self, Error> {
        let known = || PRESETS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let (_, text) = PRESETS
            .iter()
            .find(|(preset, _)| *preset == name)
            .ok_or_else(|| Error::UnknownPreset { name: name.to_owned(), known: known() })?;
        Self::parse(text, name)
    }

    /// The values that are declared for a knob.
    pub fn declared(&self, knob: Knob) -> Option<&[Value]> {
        self.knobs.iter().find(|(named, _)| *named == knob).map(|(_, values)| values.as_slice())
    }

    /// The same with a knob's values, replaced or added: the cuts of the network that is at hand, say.
    #[must_use]
    pub fn with(mut self, knob: Knob, values: Vec<Value>) -> Self {
        self.knobs.retain(|(named, _)| *named != knob);
        self.knobs.push((knob, values));
        self
    }

    /// The rules.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The space.
    ///
    /// # Errors
    /// As [`Space::new`].
    pub fn space(self) -> Result<Space, Error> {
        Space::new(self.knobs, &self.rules)
    }
}

impl Declared {
    fn values(self, knob: Knob) -> Result<Vec<Value>, crate::knob::UnreadableValue> {
        match self {
            Self::One(scalar) => Ok(vec![knob.parse(&scalar.text())?]),
            Self::List(scalars) => scalars.into_iter().map(|scalar| knob.parse(&scalar.text())).collect(),
            Self::Range { from, to } => (from..=to).map(|number| knob.parse(&number.to_string())).collect(),
        }
    }
}

impl Scalar {
    fn text(self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text,
        }
    }
}
