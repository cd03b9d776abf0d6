//! Violins, which the plotting library has in its script but not among its types; and points where there are too few values for a shape.

use plotly::common::Mode;
use plotly::{Scatter, Trace};
use serde::Serialize;

use super::style::Style;

/// So few values have neither a shape nor quarters: they are drawn as points.
const LEAST: usize = 5;

/// Whether values are too few for a violin or a box.
pub fn are_few(values: &[f64]) -> bool {
    values.len() < LEAST
}

/// How the values of a plot are drawn, for its caption: what is said of shapes, where there is any, and that few values are points.
#[derive(Debug, Clone, Copy, Default)]
pub struct Drawn {
    /// Whether there is a violin or a box.
    pub shapes: bool,
    /// Whether there are values that were too few for one.
    pub points: bool,
}

impl Drawn {
    /// In words.
    pub fn said(self, of_shapes: &str) -> String {
        let shapes = if self.shapes { of_shapes } else { "" };
        let points = match self.points {
            true => format!("Fewer than {LEAST} values are drawn as points."),
            false => String::new(),
        };
        [shapes, &points].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

/// Values as points at the place of their name, where a violin or a box of that name would be.
pub fn points(name: &str, values: Vec<f64>, style: &Style) -> Box<Scatter<String, f64>> {
    Scatter::new(vec![name.to_owned(); values.len()], values)
        .name(name)
        .mode(Mode::Markers)
        .marker(style.marker())
        .hover_template("%{y:.5g}<extra></extra>")
}

/// A violin with a box and the mean's line inside, cut off at the least and the greatest value, all of the same width.
#[derive(Debug, Clone, Serialize)]
pub struct Violin {
    r#type: &'static str,
    name: String,
    y: Vec<f64>,
    #[serde(rename = "box")]
    quartiles: Visible,
    meanline: Visible,
    spanmode: &'static str,
    scalemode: &'static str,
    points: Points,
    line: Line,
    fillcolor: String,
    hoveron: &'static str,
    showlegend: bool,
}

#[derive(Debug, Clone, Serialize)]
struct Visible {
    visible: bool,
}

#[derive(Debug, Clone, Serialize)]
struct Line {
    color: &'static str,
    width: f64,
}

/// Whether each value is drawn as well.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum Points {
    All(&'static str),
    None(bool),
}

/// Up to so many values are drawn one by one.
const FEW: usize = 60;

impl Violin {
    /// Of some values under a name; `thinned` may stand for more of the same distribution.
    pub fn new(name: String, thinned: Vec<f64>, style: &Style) -> Box<Self> {
        let points = if thinned.len() <= FEW { Points::All("all") } else { Points::None(false) };
        Box::new(Self {
            r#type: "violin",
            name,
            y: thinned,
            quartiles: Visible { visible: true },
            meanline: Visible { visible: true },
            spanmode: "hard",
            scalemode: "width",
            points,
            line: Line { color: style.colour, width: 1.5 },
            // A quarter of the colour, so that box and grid show through.
            fillcolor: format!("{}40", style.colour),
            hoveron: "violins+points",
            showlegend: false,
        })
    }
}

impl Trace for Violin {
    #[expect(clippy::expect_used, reason = "texts and finite numbers are always JSON")]
    fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a violin is JSON")
    }
}
