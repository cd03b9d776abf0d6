//! A power model as a table.

use energy::PowerModel;

use super::table;

/// The power of a machine, clock by clock, with the error of the model.
pub fn power_model(model: &PowerModel) -> String {
    let mut rows = table(&["clock", "idle", "every core busy", "error (RMS)", "samples"], 1);
    for point in &model.points {
        rows.add_row([
            point.clock_khz.map_or_else(|| "as it is".to_owned(), |clock| clock.to_string()),
            format!("{:.2} W", point.idle_w.get()),
            format!("{:.2} W", point.active_w.get()),
            format!("{:.2} W", point.error_w.get()),
            point.samples.to_string(),
        ]);
    }
    let error = model.relative_error.get() * 100.0;
    format!("{} by {}, at most {error:.1} % off\n{rows}", model.machine, model.meter)
}
