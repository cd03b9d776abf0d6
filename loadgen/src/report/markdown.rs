//! The report's numbers in Markdown and CSV.

use std::fmt::Write as _;

use super::Report;
use super::figure::{Content, Table};

/// A longer table is cut off in Markdown; its CSV file is whole.
const MOST_ROWS: usize = 40;

impl Report {
    /// The report in Markdown: every figure's numbers as a table.
    pub fn markdown(&self) -> String {
        let mut text = format!("# {}\n\n", line(&self.title));
        for (name, value) in &self.facts {
            let _infallible = writeln!(text, "- {}: {}", line(name), line(value));
        }
        for section in &self.sections {
            let _infallible = writeln!(text, "\n## {}\n\n{}", line(&section.title), line(&section.about));
            for figure in &section.figures {
                let _infallible = writeln!(text, "\n### {}\n", line(&figure.title));
                match &figure.content {
                    Content::Missing(why) => text.push_str(&format!("Nothing to show. {}\n", line(why))),
                    Content::Plot { .. } => text.push_str(&format!("{}\n", line(&figure.caption))),
                }
                if !figure.table.rows.is_empty() {
                    text.push('\n');
                    text.push_str(&figure.table.markdown(&figure.name));
                }
            }
        }
        text
    }
}

impl Table {
    fn markdown(&self, name: &str) -> String {
        let cells = |cells: &[String]| {
            format!("| {} |\n", cells.iter().map(|cell| line(cell)).collect::<Vec<_>>().join(" | "))
        };
        let mut text = cells(&self.columns);
        let rules: Vec<&str> =
            (0..self.columns.len()).map(|column| if column == 0 { "---" } else { "---:" }).collect();
        text.push_str(&format!("| {} |\n", rules.join(" | ")));
        text.extend(self.rows.iter().take(MOST_ROWS).map(|row| cells(row)));
        let left_out = self.rows.len().saturating_sub(MOST_ROWS);
        if left_out > 0 {
            text.push_str(&format!("\n{left_out} more rows are in `{name}.csv`.\n"));
        }
        text
    }

    /// The table as CSV, with a header.
    #[expect(clippy::expect_used, reason = "writing into memory cannot fail, and texts stay texts")]
    pub fn csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in std::iter::once(&self.columns).chain(&self.rows) {
            writer.write_record(row).expect("rows are as long as the header");
        }
        String::from_utf8(writer.into_inner().expect("memory can be written")).expect("texts are UTF-8")
    }
}

/// One line that no table is broken by.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|").replace('<', "&lt;")
}
