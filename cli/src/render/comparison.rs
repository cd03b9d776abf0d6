//! Tables of search strategies.

use search::comparison::{AtStop, Reached, Spread};

use super::{UNKNOWN, table};
use crate::commands::optimize::PoolReport;

/// What each strategy found after how much, and how much it needed.
pub fn comparison(report: &PoolReport) -> String {
    let PoolReport { pool, space, measured, skipped_rows, front, seeds, strategies } = report;
    let mut found = table(&["strategy", "evaluations", "hypervolume %", "logarithmic %", "front found %"], 1);
    for outcome in strategies {
        for at in &outcome.at {
            found.add_row([
                outcome.strategy.to_string(),
                at.evaluations.to_string(),
                spread(at.hypervolume, 2),
                spread(at.log_hypervolume, 2),
                spread(at.front_found, 0),
            ]);
        }
    }
    let mut needed = table(&["strategy", "to 99 %", "to 99.9 %", "to 99 % logarithmic", "own time, s"], 1);
    for outcome in strategies {
        needed.add_row([
            outcome.strategy.to_string(),
            reached(outcome.to_99),
            reached(outcome.to_99_9),
            reached(outcome.to_log_99),
            spread(outcome.own_seconds, 3),
        ]);
    }
    let mut stopped = table(&["strategy", "runs", "evaluations", "hypervolume %", "front found %"], 1);
    for outcome in strategies {
        if let Some(AtStop { runs, evaluations, hypervolume, front_found }) = outcome.stop {
            stopped.add_row([
                outcome.strategy.to_string(),
                runs.to_string(),
                spread(evaluations, 1),
                spread(hypervolume, 2),
                spread(front_found, 0),
            ]);
        }
    }
    let stopped = if strategies.iter().any(|outcome| outcome.stop.is_some()) {
        format!("\n\nWhere the stop rule of the live system would have ended the runs\n{stopped}")
    } else {
        String::new()
    };
    let left_out = if *skipped_rows > 0 { format!("; {skipped_rows} rows left out") } else { String::new() };
    format!(
        "{pool}: {measured} of {space} configurations measured, {front} on the front{left_out}\n\n\
         Share of what measuring everything gives, mean ± standard deviation over {seeds} seeds\n{found}\n\n\
         Evaluations needed, median / 90th percentile over the seeds ({UNKNOWN}: not reached)\n{needed}{stopped}"
    )
}

fn spread(spread: Spread, digits: usize) -> String {
    format!("{:.digits$} ± {:.digits$}", spread.mean, spread.deviation)
}

fn reached(reached: Reached) -> String {
    let number = |evaluations: Option<usize>| evaluations.map_or(UNKNOWN.into(), |number| number.to_string());
    format!("{} / {}", number(reached.median), number(reached.ninetieth))
}
