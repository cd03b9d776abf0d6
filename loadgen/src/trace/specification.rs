//! Short texts that name a process and its numbers, such as `poisson:20` or `mmpp:quiet=5,burst=50`.

use std::collections::BTreeMap;

/// A name, then values in order, then values by name. Each must be asked for: what is left over is a mistake.
pub(crate) struct Specification<'t> {
    pub(crate) name: &'t str,
    in_order: std::vec::IntoIter<&'t str>,
    by_name: BTreeMap<&'t str, &'t str>,
}

impl<'t> Specification<'t> {
    /// Takes a text apart.
    pub(crate) fn new(text: &'t str) -> Self {
        let (name, rest) = text.split_once(':').unwrap_or((text, ""));
        let (mut in_order, mut by_name) = (Vec::new(), BTreeMap::new());
        for part in rest.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                Some((key, value)) => drop(by_name.insert(key.trim(), value.trim())),
                None => in_order.push(part),
            }
        }
        Self { name: name.trim(), in_order: in_order.into_iter(), by_name }
    }

    /// The next value in order, or the one of that name.
    pub(crate) fn text(&mut self, key: &str) -> Option<&'t str> {
        self.by_name.remove(key).or_else(|| self.in_order.next())
    }

    /// A number above zero.
    pub(crate) fn positive(&mut self, key: &str) -> Result<f64, String> {
        let text = self.text(key).ok_or_else(|| format!("{} needs {key}", self.name))?;
        positive(key, text)
    }

    /// A number above zero, or this one where none is named.
    pub(crate) fn positive_or(&mut self, key: &str, default: f64) -> Result<f64, String> {
        self.by_name.remove(key).map_or(Ok(default), |text| positive(key, text))
    }

    /// Refuses what nobody asked for.
    pub(crate) fn end(mut self) -> Result<(), String> {
        if let Some(text) = self.in_order.next() {
            return Err(format!("{} has no place for {text:?}", self.name));
        }
        match self.by_name.keys().next() {
            Some(key) => Err(format!("{} has no {key:?}", self.name)),
            None => Ok(()),
        }
    }
}

pub(crate) fn positive(key: &str, text: &str) -> Result<f64, String> {
    let value = text.parse::<f64>().ok().filter(|value| value.is_finite() && *value > 0.0);
    value.ok_or_else(|| format!("{key} is {text:?}: use a number above 0"))
}
