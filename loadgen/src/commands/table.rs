//! Tables that people read.

use comfy_table::{CellAlignment, Table, presets};
use loadgen::simulate::Interval;

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

/// A mean with half the width of its confidence interval, where there is one.
pub fn interval(interval: Interval, digits: usize) -> String {
    match interval.half_width {
        Some(half) if half > 0.0 => format!("{:.digits$} ± {half:.digits$}", interval.mean),
        _ => format!("{:.digits$}", interval.mean),
    }
}

/// The same with a sign.
pub fn difference(interval: Interval, digits: usize) -> String {
    match interval.half_width {
        Some(half) if half > 0.0 => format!("{:+.digits$} ± {half:.digits$}", interval.mean),
        _ => format!("{:+.digits$}", interval.mean),
    }
}
