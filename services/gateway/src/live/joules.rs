//! Joules by place and source, in a table of fixed size whatever receipts say.

use schemas::{EnergyEntry, EnergySource, Place};

use super::shapes::Spent;

const PLACES: [Place; 3] = [Place::Edge, Place::Wire, Place::Cloud];
const SOURCES: [EnergySource; 4] =
    [EnergySource::Measured, EnergySource::Attributed, EnergySource::Modelled, EnergySource::Emulated];

/// `None` where nothing was said: unknown is not zero.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct JoulesTable([[Option<f64>; SOURCES.len()]; PLACES.len()]);

impl JoulesTable {
    /// Adds all of the other table.
    pub(super) fn add(&mut self, other: &Self) {
        let cells = self.0.iter_mut().flatten().zip(other.0.iter().flatten());
        for (sum, more) in cells {
            if let Some(more) = more {
                *sum = Some(sum.unwrap_or(0.0) + more);
            }
        }
    }

    /// What is known, by place and then by source.
    pub(super) fn spent(&self) -> Vec<Spent> {
        let rows = PLACES.into_iter().zip(&self.0);
        rows.flat_map(|(place, row)| {
            let cells = SOURCES.into_iter().zip(row);
            cells.filter_map(move |(source, joules)| joules.map(|joules| Spent { place, source, joules }))
        })
        .collect()
    }
}

impl From<&[EnergyEntry]> for JoulesTable {
    fn from(entries: &[EnergyEntry]) -> Self {
        let mut table = Self::default();
        for entry in entries {
            let row = PLACES.into_iter().zip(&mut table.0).find(|(place, _)| *place == entry.place);
            let cell = row.and_then(|(_, row)| {
                SOURCES.into_iter().zip(row).find(|(source, _)| *source == entry.source)
            });
            if let Some((_, cell)) = cell {
                *cell = Some(cell.unwrap_or(0.0) + entry.joules.get());
            }
        }
        table
    }
}
