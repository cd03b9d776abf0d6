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
//! when = { cut = 0 }
//! only = { edge-accelerator = "off" }
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::{MOST_VALUES, PRESETS, Rule, Space};
use crate::error::{Error, TextPlace};
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
    knobs: BTreeMap<Knob, Spanned<Declared>>,
    #[serde(default)]
    rule: Vec<Spanned<DeclaredRule>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeclaredRule {
    when: BTreeMap<Knob, Spanned<Declared>>,
    only: BTreeMap<Knob, Spanned<Declared>>,
}

/// One value, a list of values, or a range of numbers.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a knob has a value, such as 4 or \"off\", a list of such, or a range, such as { from = 0, to = 22 }"
)]
enum Declared {
    One(Scalar),
    List(Vec<Scalar>),
    Range(Range),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Range {
    from: u16,
    to: u16,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Number(u64),
    Text(String),
}

/// What is being read, for errors that say where.
struct Source<'t> {
    text: &'t str,
    name: &'t str,
}

impl SpaceFile {
    /// Reads a space's text. `name` is said in errors: the file or preset it comes from.
    ///
    /// # Errors
    /// Text that is not TOML of this form, values that their knobs cannot have or have twice, a rule about a value that its
    /// knob does not have. The error says the line and column.
    pub fn parse(text: &str, name: &str) -> Result<Self, Error> {
        let source = Source { text, name };
        let document: Document = toml::from_str(text).map_err(|error| {
            source.error(error.span().map(|span| span.start), error.message().trim_end().to_owned())
        })?;
        let read = |(knob, declared)| Ok::<_, Error>((knob, source.values(knob, declared)?));
        let mut file = Self {
            knobs: document.knobs.into_iter().map(read).collect::<Result<_, _>>()?,
            rules: Vec::new(),
        };
        for rule in document.rule {
            let place = rule.span().start;
            let rules = source.rules(rule.into_inner(), place)?;
            if let Some((knob, value)) = rules.iter().find_map(|rule| file.unknown_in(rule)) {
                let problem = format!("a rule names {knob} {value}, which is not among the knob's values");
                return Err(source.error(Some(place), problem));
            }
            file.rules.extend(rules);
        }
        Ok(file)
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

    /// A value that a rule names and its knob, which is declared here, does not have: a slip of the pen.
    fn unknown_in<'r>(&self, rule: &'r Rule) -> Option<(Knob, &'r Value)> {
        let named = rule.when.iter().chain([&rule.only]);
        let values = named.flat_map(|(knob, values)| values.iter().map(move |value| (*knob, value)));
        let is_unknown =
            |knob: Knob, value: &Value| self.declared(knob).is_some_and(|declared| !declared.contains(value));
        values.into_iter().find(|(knob, value)| is_unknown(*knob, value))
    }
}

impl Source<'_> {
    fn error(&self, at: Option<usize>, problem: String) -> Error {
        let place = at.map(|at| TextPlace::of(self.text, at));
        Error::SpaceFile { file: self.name.to_owned(), place, problem }
    }

    fn values(&self, knob: Knob, declared: Spanned<Declared>) -> Result<Vec<Value>, Error> {
        let at = declared.span().start;
        let unusable = |problem: String| self.error(Some(at), problem);
        let texts: Vec<String> = match declared.into_inner() {
            Declared::One(scalar) => vec![scalar.text()],
            Declared::List(scalars) => scalars.into_iter().map(Scalar::text).collect(),
            Declared::Range(Range { from, to }) => (from..=to).map(|number| number.to_string()).collect(),
        };
        if texts.is_empty() || texts.len() > MOST_VALUES {
            return Err(unusable(format!("the knob {knob} needs between 1 and {MOST_VALUES} values")));
        }
        let mut values = Vec::with_capacity(texts.len());
        for text in texts {
            let value = knob.parse(&text).map_err(|error| unusable(error.to_string()))?;
            if values.contains(&value) {
                return Err(unusable(format!("the knob {knob} has the value {value} twice")));
            }
            values.push(value);
        }
        Ok(values)
    }

    /// One rule for each knob that is bound.
    fn rules(&self, declared: DeclaredRule, at: usize) -> Result<Vec<Rule>, Error> {
        let read = |(knob, declared)| Ok::<_, Error>((knob, self.values(knob, declared)?));
        let when: Vec<(Knob, Vec<Value>)> = declared.when.into_iter().map(read).collect::<Result<_, _>>()?;
        if when.is_empty() || declared.only.is_empty() {
            let problem = "a rule needs a knob in `when` and a knob in `only`";
            return Err(self.error(Some(at), problem.to_owned()));
        }
        let rule = |only| Ok(Rule { when: when.clone(), only: read(only)? });
        declared.only.into_iter().map(rule).collect()
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
