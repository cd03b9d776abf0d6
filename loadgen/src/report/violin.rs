//! Violins, which the plotting library has in its script but not among its types.

use plotly::Trace;
use serde::Serialize;

use super::style::Style;

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
