//! How every plot looks: colours that colour-blind people tell apart (Okabe and Ito), and for each a dash, a mark and a pattern, so
//! that a copy in black and white can be read too.

use plotly::Layout;
use plotly::common::{
    Anchor, DashType, Font, Line, Marker, MarkerSymbol, Orientation, Pattern, PatternFillMode, PatternShape,
    Title,
};
use plotly::layout::{Axis, AxisType, HoverMode, Legend, Margin};
use schemas::PolicyName;

/// How one thing is drawn, wherever it is.
#[derive(Debug, Clone)]
pub struct Style {
    /// Its colour.
    pub colour: &'static str,
    /// Its line's dash.
    pub dash: DashType,
    /// Its mark.
    pub symbol: MarkerSymbol,
    /// Its bar's pattern.
    pub pattern: PatternShape,
}

/// Eight of them; the yellow, which paper hides, comes last.
const STYLES: [Style; 8] = [
    style("#d55e00", DashType::Solid, MarkerSymbol::Circle, PatternShape::None),
    style("#cc79a7", DashType::Dash, MarkerSymbol::Square, PatternShape::RightDiagonalLine),
    style("#0072b2", DashType::Dot, MarkerSymbol::Diamond, PatternShape::DiagonalCross),
    style("#009e73", DashType::DashDot, MarkerSymbol::TriangleUp, PatternShape::Dot),
    style("#56b4e9", DashType::LongDash, MarkerSymbol::TriangleDown, PatternShape::VerticalLine),
    style("#e69f00", DashType::LongDashDot, MarkerSymbol::Cross, PatternShape::LeftDiagonalLine),
    style("#000000", DashType::Solid, MarkerSymbol::X, PatternShape::HorizontalLine),
    style("#f0e442", DashType::Dash, MarkerSymbol::Star, PatternShape::Cross),
];

const fn style(colour: &'static str, dash: DashType, symbol: MarkerSymbol, pattern: PatternShape) -> Style {
    Style { colour, dash, symbol, pattern }
}

/// The style of a thing by its place among its like.
pub fn of(place: usize) -> &'static Style {
    &STYLES[place % STYLES.len()]
}

/// The colour of a place: that of the policies that have everything there.
pub fn of_place(place: &str) -> &'static Style {
    of(match place {
        "cloud" => 2,
        "edge" => 3,
        "wire" => 5,
        _ => 6,
    })
}

/// A policy's style, the same in every plot.
pub fn of_policy(policy: PolicyName) -> &'static Style {
    of(PolicyName::SIMULATED.iter().position(|known| *known == policy).unwrap_or(STYLES.len() - 1))
}

impl Style {
    /// A line.
    pub fn line(&self) -> Line {
        Line::new().color(self.colour).dash(self.dash.clone()).width(2.0)
    }

    /// A mark.
    pub fn marker(&self) -> Marker {
        Marker::new().color(self.colour).symbol(self.symbol.clone()).size(8)
    }

    /// A bar: its pattern is in a dark grey over the colour.
    pub fn bar(&self) -> Marker {
        let pattern = Pattern::new()
            .shape(self.pattern.clone())
            .fill_mode(PatternFillMode::Overlay)
            .foreground_color("#333333")
            .foreground_opacity(0.45)
            .size(7.0);
        Marker::new().color(self.colour).pattern(pattern).line(Line::new().color("#333333").width(0.5))
    }
}

/// The legend: above the plot, where it grows upwards and hides nothing.
pub fn legend() -> Legend {
    Legend::new().orientation(Orientation::Horizontal).x(0.0).y(1.01).y_anchor(Anchor::Bottom)
}

/// The layout that all plots begin with: the legend above, room for narrow screens, no colour behind.
pub fn layout() -> Layout {
    Layout::new()
        .font(Font::new().family("system-ui, sans-serif").size(13).color("#222222"))
        .paper_background_color("#ffffff")
        .plot_background_color("#ffffff")
        .hover_mode(HoverMode::Closest)
        .legend(legend())
        .margin(Margin::new().left(62).right(14).top(30).bottom(50))
        .auto_size(true)
}

/// An axis with its name.
pub fn axis(title: &str) -> Axis {
    Axis::new()
        .title(Title::with_text(title))
        .auto_margin(true)
        .grid_color("#dddddd")
        .zero_line(false)
        .show_line(true)
        .line_color("#888888")
}

/// A logarithmic axis with its name. Its numbers are those of 1, 2 and 5: all nine of a decade would lie over each other.
pub fn logarithmic(title: &str) -> Axis {
    axis(title).type_(AxisType::Log).n_ticks(3)
}
