//! One figure: a plot with what it says in words, and its numbers as a table.

use plotly::Plot;

/// A figure.
#[derive(Clone)]
pub struct Figure {
    /// Its name in addresses and names of files: lower-case letters, digits and dashes.
    pub name: String,
    /// Its title.
    pub title: String,
    /// What is to be seen, and how it was made.
    pub caption: String,
    /// The plot.
    pub content: Content,
    /// The numbers behind it.
    pub table: Table,
}

/// What a figure shows.
#[derive(Clone)]
pub enum Content {
    /// A plot, so many pixels high.
    Plot {
        /// The plot.
        plot: Box<Plot>,
        /// Its height.
        height: u16,
        /// Its traces that have marks.
        traces: usize,
    },
    /// There is nothing to show; why, in a sentence.
    Missing(String),
}

/// Numbers in rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// The columns' names, with units.
    pub columns: Vec<String>,
    /// The rows, each as long as the columns.
    pub rows: Vec<Vec<String>>,
}

/// A part of a report.
#[derive(Clone)]
pub struct Section {
    /// Its name in addresses.
    pub name: String,
    /// Its title.
    pub title: String,
    /// What it is about.
    pub about: String,
    /// Its figures.
    pub figures: Vec<Figure>,
}

impl Figure {
    /// A figure with a plot.
    pub fn plotted(
        name: String,
        title: impl Into<String>,
        caption: impl Into<String>,
        height: u16,
        plot: Plot,
        table: Table,
    ) -> Self {
        let traces = plot.data().len();
        let content = Content::Plot { plot: Box::new(plot), height, traces };
        Self { name, title: title.into(), caption: caption.into(), content, table }
    }

    /// A figure that cannot be drawn.
    pub fn missing(name: String, title: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            name,
            title: title.into(),
            caption: String::new(),
            content: Content::Missing(why.into()),
            table: Table::default(),
        }
    }
}

impl Table {
    /// A table without rows yet.
    pub fn new<const COLUMNS: usize>(columns: [&str; COLUMNS]) -> Self {
        Self { columns: columns.map(str::to_owned).to_vec(), rows: Vec::new() }
    }
}

/// A number with five significant digits, without trailing zeros.
pub fn number(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return if value == 0.0 { "0".to_owned() } else { String::new() };
    }
    let magnitude = value.abs().log10().floor();
    let decimals = (4.0 - magnitude).clamp(0.0, 9.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A number that may not be known: then nothing.
pub fn known(value: Option<f64>) -> String {
    value.map(number).unwrap_or_default()
}

/// A name for addresses and files: letters and digits, everything else a dash.
pub fn slug(text: &str) -> String {
    let plain = text
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' });
    let joined: String = plain.collect();
    let words: Vec<&str> = joined.split('-').filter(|word| !word.is_empty()).collect();
    words.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_five_digits() {
        let cases = [
            (0.0, "0"),
            (1234.5678, "1234.6"),
            (0.000_123_456, "0.00012346"),
            (123_456.7, "123457"),
            (2.5, "2.5"),
            (-0.25, "-0.25"),
            (100.0, "100"),
            (f64::NAN, ""),
        ];
        for (value, expected) in cases {
            assert_eq!(number(value), expected);
        }
    }

    #[test]
    fn slugs_are_names_of_files() {
        assert_eq!(slug("vgg16, Poisson 0.5/s — link A"), "vgg16-poisson-0-5-s-link-a");
        assert_eq!(slug("…"), "");
    }
}
