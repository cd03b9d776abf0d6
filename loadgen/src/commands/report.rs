//! `loadgen report`: a results folder as a page with plots, as Markdown and as CSV.

use std::path::PathBuf;

use clap::Args;
use command::{OutputArguments, output};
use loadgen::report::{Content, Material, Report, Section};
use serde::Serialize;

/// `loadgen report`
#[derive(Debug, Args)]
#[command(
    after_help = "Writes into FOLDER/report: report.html (one page with everything in it; needs no network), report.md, and a CSV file \
                  for each figure.\n\nExample: loadgen evaluate campaign.toml -o results && loadgen report results && \
                  xdg-open results/report/report.html"
)]
pub struct ReportArguments {
    /// The results folder, as `loadgen replay` and `loadgen evaluate` make it
    folder: PathBuf,
    /// Where to write the report [default: report in the results folder]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs)]
    output: OutputArguments,
}

/// What was written.
#[derive(Debug, Serialize)]
struct Written {
    /// The page.
    page: PathBuf,
    /// Figures with a plot.
    plots: usize,
    /// Figures that have nothing to show, each with the reason.
    missing: Vec<String>,
}

/// The figures of a section that have nothing to show, each with the reason.
fn missing(section: &Section) -> impl Iterator<Item = String> + '_ {
    section.figures.iter().filter_map(|figure| match &figure.content {
        Content::Missing(why) => Some(format!("{}: {}: {why}", section.title, figure.title)),
        Content::Plot { .. } => None,
    })
}

/// Writes the report and says where it is.
pub fn run(arguments: &ReportArguments) -> anyhow::Result<()> {
    let report = Report::of(&Material::read(&arguments.folder)?);
    let out = arguments.out.clone().unwrap_or_else(|| arguments.folder.join("report"));
    let page = out.join("report.html");
    let tables = report.tables().map(|(name, csv)| (format!("{name}.csv"), csv));
    let pages = [("report.md".to_owned(), report.markdown()), ("report.html".to_owned(), report.html())];
    output::write_together(&out, &tables.chain(pages).collect::<Vec<_>>())?;
    let missing: Vec<String> = report.sections.iter().flat_map(missing).collect();
    let written = Written { page, plots: report.figures().count() - missing.len(), missing };
    output::print(arguments.output.json, &written, |written| {
        let mut text = format!("{}: {} plots", written.page.display(), written.plots);
        for one in &written.missing {
            text.push_str(&format!("\nnothing to show: {one}"));
        }
        text
    })
}
