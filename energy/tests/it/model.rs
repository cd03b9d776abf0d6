//! The power model: fitted, written, read, interpolated.

use energy::{FitError, LoadSample, PowerModel};
use schemas::{EnergySource, KiloHertz, Share, UnixMillis, Watts};

fn sample(megahertz: u64, load: f64, power: f64) -> LoadSample {
    LoadSample {
        clock: Some(KiloHertz::from_megahertz(megahertz)),
        load: Share::new(load).unwrap(),
        power: Watts::new(power).unwrap(),
    }
}

/// A machine of 2 W + 3 W × load at 600 MHz and 3 W + 6 W × load at 1800 MHz, read with an error of ± 0.1 W.
fn samples() -> Vec<LoadSample> {
    let loads = [(0.0, 0.1), (0.25, -0.1), (0.5, 0.1), (0.75, -0.1), (1.0, 0.1)];
    let at = |megahertz, idle, more| {
        loads.map(|(load, error)| sample(megahertz, load, idle + more * load + error))
    };
    [at(1800, 3.0, 6.0), at(600, 2.0, 3.0)].concat()
}

fn fit(samples: &[LoadSample]) -> Result<PowerModel, FitError> {
    PowerModel::fit("pi".into(), "ina219 power1".into(), UnixMillis(1), samples)
}

#[test]
fn idle_and_active_power_come_out_with_their_error() {
    let model = fit(&samples()).unwrap();
    assert_eq!(model.points.len(), 2);
    let slow = model.points[0];
    assert_eq!((slow.clock_khz, slow.samples), (Some(KiloHertz::from_megahertz(600)), 5));
    assert!((slow.idle_w.get() - 2.02).abs() < 0.01 && (slow.active_w.get() - 5.02).abs() < 0.01, "{slow:?}");
    // The line explains a little of the error: RMS of ±0.1 is 0.1 before.
    assert!((0.09..=0.1).contains(&slow.error_w.get()), "{slow:?}");
    assert!((0.015..0.03).contains(&model.relative_error.get()), "{model:?}");
}

#[test]
fn between_two_clocks_the_power_lies_between() {
    let model = fit(&samples()).unwrap();
    let at = |megahertz| model.power_at(Some(KiloHertz::from_megahertz(megahertz))).unwrap();
    let (low, middle, high) = (at(600), at(1200), at(1800));
    assert_eq!(at(300), low, "below the lowest");
    assert_eq!(at(2400), high, "above the highest");
    let half = (low.active_w.get() + high.active_w.get()) / 2.0;
    assert!((middle.active_w.get() - half).abs() < 1e-9);
    assert_eq!(model.power_at(None), Some(high), "an unknown clock under load is the highest");
    assert_eq!(high.source, EnergySource::Modelled);
    assert!(high.uncertainty_w.is_some() && high.idle_w == Some(high.waiting_w));
}

#[test]
fn it_survives_its_file() {
    let model = fit(&samples()).unwrap();
    let text = toml::to_string(&model).unwrap();
    assert_eq!(toml::from_str::<PowerModel>(&text).unwrap(), model);
    assert!(toml::from_str::<PowerModel>(&text.replace("idle_w", "idel_w")).is_err());
}

#[test]
fn measurements_that_make_no_model_are_refused_with_the_reason() {
    assert_eq!(fit(&[]), Err(FitError::Nothing));
    let few = fit(&samples()[..4]).unwrap_err();
    assert!(few.to_string().contains("at 1800 MHz"), "{few}");
    let flat: Vec<LoadSample> = (0..5).map(|step| sample(600, f64::from(step) / 4.0, 5.0)).collect();
    let flat = fit(&flat).unwrap_err();
    assert!(matches!(flat, FitError::LoadDrawsNothing { .. }), "{flat}");
}
