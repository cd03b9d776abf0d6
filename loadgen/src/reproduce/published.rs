//! Published values, as they were printed.
//!
//! Those of the paper come with the program. A folder of data may add `reference_<network>.json` with the members
//! `networks.<network>.<table>.<strategy>.<metric>`, which then count instead of the program's own for that network.

use std::collections::BTreeMap;
use std::path::Path;

use super::metric::Metric;
use super::tables::Verdict;
use crate::error::LoadgenError;
use crate::json;
use crate::problem::Problem;

/// A number as somebody printed it.
#[derive(Debug, Clone, PartialEq)]
pub struct Printed {
    text: String,
    value: f64,
    tolerance: f64,
}

/// A single number that was published apart from tables.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishedClaim {
    /// The network.
    pub network: String,
    /// The table it belongs to.
    pub table: String,
    /// The strategy.
    pub strategy: String,
    /// A metric's key, or `decisions_cloud`, `decisions_split`, `decisions_edge`.
    pub quantity: String,
    /// Its value.
    pub value: Printed,
    /// Where it was published.
    pub source: String,
    /// What it is, in words.
    pub what: String,
}

/// By network, table, strategy and metric.
type Cells = BTreeMap<(String, String, String, Metric), Printed>;

/// Everything that was published.
#[derive(Debug, Clone, Default)]
pub struct Published {
    cells: Cells,
    claims: Vec<PublishedClaim>,
}

const CLAIMS: &str = include_str!("published/claims.csv");
const TABLES: [(&str, &str); 1] = [("vgg16", include_str!("published/vgg16.csv"))];

impl Printed {
    /// Takes a printed number: another agrees with it when it rounds to the same digits. `None` when it is no number.
    pub fn new(text: &str) -> Option<Self> {
        let value: f64 = text.parse().ok()?;
        let digits = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        // Sums may be added up in another order: a hair more than half of the last digit.
        let half = 0.5 * 10_f64.powi(-i32::try_from(digits).ok()?);
        Some(Self { text: text.to_owned(), value, tolerance: half * (1.0 + 1e-6) })
    }

    /// Takes a number in full precision: another agrees when it is the same to nine digits.
    fn exact(value: f64) -> Self {
        Self { text: value.to_string(), value, tolerance: 1e-9 * value.abs().max(1.0) }
    }

    /// As it was printed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The number.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// Whether a value agrees.
    pub fn verdict(&self, value: f64) -> Verdict {
        if (value - self.value).abs() <= self.tolerance { Verdict::Pass } else { Verdict::Fail }
    }
}

impl Published {
    /// What comes with the program, and with the folder for one network.
    ///
    /// # Errors
    /// A reference file of the folder that cannot be read.
    pub fn for_network(folder: &Path, network: &str) -> Result<Self, LoadgenError> {
        let mut published = Self { claims: claims(), ..Self::default() };
        let reference = folder.join(format!("reference_{network}.json"));
        if reference.is_file() {
            published.cells = referenced(&reference, network)?;
        } else if let Some((_, text)) = TABLES.iter().find(|(known, _)| *known == network) {
            published.cells = tables(network, text);
        }
        Ok(published)
    }

    /// The value of one cell.
    pub fn cell(&self, network: &str, table: &str, strategy: &str, metric: Metric) -> Option<&Printed> {
        self.cells.get(&(network.to_owned(), table.to_owned(), strategy.to_owned(), metric))
    }

    /// Whether values of a network's table were published.
    pub fn has_table(&self, network: &str, table: &str) -> bool {
        self.cells.keys().any(|(known, of, ..)| known == network && of == table)
    }

    /// The numbers apart from tables.
    pub fn claims(&self) -> &[PublishedClaim] {
        &self.claims
    }
}

fn records(text: &str) -> impl Iterator<Item = csv::StringRecord> {
    // Both files are part of the program and a test reads every row of them.
    csv::Reader::from_reader(text.as_bytes()).into_records().flatten().collect::<Vec<_>>().into_iter()
}

fn claims() -> Vec<PublishedClaim> {
    let claim = |record: csv::StringRecord| {
        let text = |place: usize| record.get(place).unwrap_or_default().to_owned();
        Some(PublishedClaim {
            network: text(0),
            table: text(1),
            strategy: text(2),
            quantity: text(3),
            value: Printed::new(&text(4))?,
            source: text(5),
            what: text(6),
        })
    };
    records(CLAIMS).filter_map(claim).collect()
}

fn tables(network: &str, text: &str) -> Cells {
    let mut cells = BTreeMap::new();
    for record in records(text) {
        let column = |place: usize| record.get(place).unwrap_or_default();
        for (place, metric) in Metric::ALL.into_iter().enumerate() {
            if let Some(printed) = Printed::new(column(place + 2)) {
                let key = (network.to_owned(), column(0).to_owned(), column(1).to_owned(), metric);
                cells.insert(key, printed);
            }
        }
    }
    cells
}

fn referenced(path: &Path, network: &str) -> Result<Cells, LoadgenError> {
    let document: serde_json::Value = json::read(path)?;
    let members = |value: Option<&serde_json::Value>| {
        let object = value.and_then(serde_json::Value::as_object).cloned();
        object.unwrap_or_default().into_iter()
    };
    let mut cells = BTreeMap::new();
    for (table, strategies) in members(document.pointer(&format!("/networks/{network}"))) {
        for (strategy, metrics) in members(Some(&strategies)) {
            for metric in Metric::ALL {
                if let Some(value) = metrics.get(metric.key()).and_then(serde_json::Value::as_f64) {
                    cells.insert(
                        (network.to_owned(), table.clone(), strategy.clone(), metric),
                        Printed::exact(value),
                    );
                }
            }
        }
    }
    if cells.is_empty() {
        let problem = Problem::from(format!("it holds no value of the network {network}"));
        return Err(LoadgenError::InvalidText { path: path.to_owned(), problem });
    }
    Ok(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_that_comes_with_the_program_is_read() {
        assert_eq!(claims().len(), CLAIMS.lines().count() - 1);
        for (network, text) in TABLES {
            assert_eq!(tables(network, text).len(), (text.lines().count() - 1) * Metric::ALL.len());
        }
    }

    #[test]
    fn a_reference_without_values_of_the_network_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("reference_net.json"), r#"{"networks": {"other": {}}}"#).unwrap();
        let error = Published::for_network(folder.path(), "net").unwrap_err().to_string();
        assert!(error.ends_with("reference_net.json: it holds no value of the network net"), "{error}");
    }

    #[test]
    fn a_value_agrees_when_it_rounds_to_what_was_printed() {
        let cases = [
            ("72.163", 72.162_676, Verdict::Pass),
            ("72.163", 72.1624, Verdict::Fail),
            ("114", 114.0, Verdict::Pass),
            ("114", 115.0, Verdict::Fail),
            ("0.6050", 0.605, Verdict::Pass),
            ("-0.04", -0.039_8, Verdict::Pass),
        ];
        for (printed, value, verdict) in cases {
            assert_eq!(Printed::new(printed).unwrap().verdict(value), verdict, "{printed} and {value}");
        }
        assert_eq!(Printed::new("many"), None);
    }
}
