//! A report: what was measured, as plots that people look at, and the numbers behind them.
//!
//! - [`Material`]: requests and measured configurations, from a results folder ([`Material::read`]).
//! - [`Report::of`]: its figures. Pure.
//! - [`Report::html`]: one page that needs neither network nor other files.
//! - [`Report::markdown`], [`Report::tables`]: the same numbers for other programs.
//!
//! The plots are those of the paper's notebooks and more. A plot that has nothing to show says why. Violins and histograms of many
//! requests are drawn from values at equal steps of their order, which have the same distribution, so that a page stays small however
//! many requests there were; the tables are of all.

mod figure;
mod figures;
mod html;
mod markdown;
mod material;
mod reading;
mod statistics;
mod style;
mod violin;

pub use figure::{Content, Figure, Section, Table};
pub use material::{Cell, Material, Measured, Network, PolicyRun, Request, Timeline};
pub use statistics::{Summary, Weibull};

use figures::knobs::End;
use figures::{cuts, decisions, front, knobs, limits, overheads, requests, timeline};

/// A report.
#[derive(Clone)]
pub struct Report {
    /// What it is called.
    pub title: String,
    /// What the results come from: a name and what it is.
    pub facts: Vec<(String, String)>,
    /// Its parts.
    pub sections: Vec<Section>,
}

impl Report {
    /// Draws everything that there is material for, and says of the rest that there is none.
    pub fn of(material: &Material) -> Self {
        let mut sections: Vec<Section> = material.cells.iter().map(condition).collect();
        sections.push(Section {
            name: "requests".to_owned(),
            title: "The requests".to_owned(),
            about: "What requests ask for, the same for all policies.".to_owned(),
            figures: vec![limits::figure(&material.cells)],
        });
        sections.extend(material.networks.iter().map(network));
        Self { title: material.title.clone(), facts: material.facts.clone(), sections }
    }

    /// Every figure.
    pub fn figures(&self) -> impl Iterator<Item = &Figure> {
        self.sections.iter().flat_map(|section| &section.figures)
    }

    /// The numbers behind each figure, as CSV, under the figure's name. Figures without numbers have none.
    pub fn tables(&self) -> impl Iterator<Item = (&str, String)> {
        let with_rows = self.figures().filter(|figure| !figure.table.rows.is_empty());
        with_rows.map(|figure| (figure.name.as_str(), figure.table.csv()))
    }
}

fn condition(cell: &Cell) -> Section {
    let mut figures = vec![decisions::endings(cell)];
    figures.extend(requests::figures(cell));
    figures.push(decisions::sides(cell));
    figures.push(timeline::figure(cell));
    figures.extend(overheads::figures(cell));
    let requests: usize = cell.runs.iter().map(|run| run.requests.len()).sum();
    Section {
        name: figure::slug(&cell.name),
        title: cell.name.clone(),
        about: format!(
            "{requests} requests under {} policies, all sent the same. {}",
            cell.runs.len(),
            cell.origins_said()
        ),
        figures,
    }
}

fn network(network: &Network) -> Section {
    let measured = network.measured.len();
    Section {
        name: figure::slug(&format!("network {}", network.name)),
        title: format!("The configurations of {}", network.name),
        about: format!("{measured} configurations that were measured."),
        figures: vec![
            front::figure(network),
            cuts::stages(network),
            cuts::accuracy(network),
            knobs::clock(network),
            knobs::accelerators(network, End::Edge),
            knobs::accelerators(network, End::Cloud),
        ],
    }
}

#[cfg(test)]
mod tests;
