//! Tables that people read.

use comfy_table::{CellAlignment, Table, presets};
use loadgen::Estimate;

/// A table whose first `left` columns are text and the others numbers.
pub fn table(headers: &[&str], left: usize) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(headers);
    for column in table.column_iter_mut().skip(left) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// A figure with its confidence interval, where there is one: half its width, or its ends where it is not even.
pub fn interval(estimate: Estimate, digits: usize) -> String {
    with_interval(estimate, |value| format!("{value:.digits$}"))
}

/// The same with a sign.
pub fn difference(estimate: Estimate, digits: usize) -> String {
    with_interval(estimate, |value| format!("{value:+.digits$}"))
}

fn with_interval(estimate: Estimate, text: impl Fn(f64) -> String) -> String {
    let Estimate { value, low, high } = estimate;
    let Some((low, high)) = low.zip(high).filter(|(low, high)| low < high) else { return text(value) };
    let (below, above) = (text(value - low), text(high - value));
    if below == above {
        format!("{} ± {}", text(value), below.trim_start_matches('+'))
    } else {
        format!("{} [{} {}]", text(value), text(low), text(high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_that_is_cut_off_shows_its_ends() {
        let estimate = |low, high| Estimate { value: 91.0, low: Some(low), high: Some(high) };
        assert_eq!(interval(estimate(89.0, 93.0), 1), "91.0 ± 2.0");
        assert_eq!(difference(estimate(89.0, 93.0), 1), "+91.0 ± 2.0");
        assert_eq!(interval(estimate(78.3, 100.0), 1), "91.0 [78.3 100.0]");
        assert_eq!(interval(estimate(91.0, 91.0), 1), "91.0");
        assert_eq!(interval(Estimate { value: 91.0, low: None, high: None }, 1), "91.0");
    }
}
