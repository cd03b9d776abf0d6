//! The power model of a machine whose power is known.

use std::time::Duration;

use schemas::{KiloHertz, Share, Watts};
use tuner::calibration::{Bench, CalibrationError, CalibrationPlan, Measurable, calibrate};
use tuner::{Settings, TunerError};

use crate::trees::{PI, Sets, Tree, VIRTUAL, device, megahertz, node};

/// 2 W + 4 W × load × clock ÷ 1 GHz, under a meter that reads 1 % too much every second time.
#[derive(Default)]
struct Virtual {
    clock: Option<KiloHertz>,
    runs: u32,
}

impl Measurable for Virtual {
    fn meter(&self) -> String {
        "virtual".to_owned()
    }

    fn set_clock(&mut self, clock: KiloHertz) -> Result<(), TunerError> {
        self.clock = Some(clock);
        Ok(())
    }

    fn run(&mut self, load: Share, _: Duration, _: Duration) -> Result<(Share, Watts), TunerError> {
        self.runs += 1;
        let gigahertz = self.clock.map_or(1.0, |clock| clock.0 as f64 / 1e6);
        let error = if self.runs.is_multiple_of(2) { 1.01 } else { 1.0 };
        Ok((load, Watts::saturating((2.0 + 4.0 * load.get() * gigahertz) * error)))
    }
}

#[test]
fn each_clock_gets_its_idle_and_active_power_with_the_error() {
    let plan = CalibrationPlan::quarters(vec![megahertz(500), megahertz(1_500)], Duration::from_secs(1));
    let mut heard = 0;
    let model = calibrate(&mut Virtual::default(), &node(), &plan, |_| heard += 1).unwrap();
    assert_eq!((heard, plan.steps(), model.points.len()), (10, 10, 2));
    for (point, active) in model.points.iter().zip([4.0, 8.0]) {
        let close = |power: Watts, expected: f64| (power.get() - expected).abs() / expected < 0.01;
        assert!(close(point.idle_w, 2.0) && close(point.active_w, active), "{point:?}");
    }
    assert!(model.relative_error.get() > 0.0 && model.relative_error.get() < 0.01, "{model:?}");

    // The tuner that reads it back prices this machine with it, and says that it is a model.
    let tree = Tree::of(PI);
    let file = tree.root().join("power.toml");
    std::fs::write(&file, toml::to_string(&model).unwrap()).unwrap();
    let mut device = device(&Settings { power_model: Some(file), ..tree.settings() });
    device.set_clock(megahertz(600)).unwrap();
    let power = device.now().power.unwrap();
    assert_eq!(power.source, schemas::EnergySource::Modelled);
    assert!((power.active_w.get() - 4.4).abs() < 0.1, "between its neighbours: {power:?}");
    assert!(power.idle_w.is_some() && power.uncertainty_w.is_some());
}

#[test]
fn a_machine_without_a_meter_is_not_guessed() {
    let error = Bench::open(&Tree::of(VIRTUAL).settings(), &node()).unwrap_err();
    assert!(error.to_string().contains("no energy meter"), "{error}");
}

/// A meter that sees the same power whatever happens does not see the processor.
#[test]
fn a_meter_that_does_not_see_the_processor_makes_no_model() {
    let tree = Tree::of(&[
        ("class/hwmon/hwmon0/name", "ina219\n"),
        ("class/hwmon/hwmon0/power1_input", "5000000\n"),
    ]);
    let mut bench = Bench::open(&tree.settings(), &node()).unwrap();
    assert!(bench.clocks().is_empty());
    let plan = CalibrationPlan::quarters(Vec::new(), Duration::from_millis(150));
    let error = calibrate(&mut bench, &node(), &plan, |_| ()).unwrap_err();
    assert!(matches!(error, CalibrationError::Fit(_)), "{error:?}");
}

#[test]
fn a_model_that_cannot_be_read_keeps_the_tuner_from_starting() {
    let tree = Tree::of(PI);
    for (file, text) in
        [("nowhere.toml", None), ("wrong.toml", Some("machine = 1")), ("empty.toml", Some(""))]
    {
        if let Some(text) = text {
            tree.write(file, text);
        }
        let settings = Settings { power_model: Some(tree.root().join(file)), ..tree.settings() };
        let error = tuner::Device::new(&settings, &node()).unwrap_err();
        assert!(error.to_string().contains(file), "{error}");
    }
}
