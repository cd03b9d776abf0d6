//! NVIDIA graphics processors through NVML: power limit, locked clock, counted energy. Built with the feature `nvml`; the
//! library is looked for when the tuner starts, and without it (or without the feature) there are none.

#[cfg(feature = "nvml")]
mod nvml;
#[cfg(feature = "nvml")]
pub use nvml::Gpus;

#[cfg(not(feature = "nvml"))]
pub use absent::Gpus;

#[cfg(not(feature = "nvml"))]
mod absent {
    use schemas::{KiloHertz, Knob, KnobReport, SensorReport, Setting, Watts};

    use crate::error::TunerError;
    use crate::transaction::Write;

    /// No graphics processor: this build does not look for any.
    #[derive(Debug)]
    pub struct Gpus;

    fn none<T>() -> Result<T, TunerError> {
        let text = "this tuner is built without NVML: build it with --features nvml";
        Err(TunerError::unsupported(text.to_owned()))
    }

    impl Gpus {
        pub fn find() -> Self {
            Self
        }

        pub fn power_limit_text(&self, _gpu: u32) -> Result<String, TunerError> {
            none()
        }

        pub fn locked_clock_text(&self, _gpu: u32) -> String {
            String::new()
        }

        pub fn set_power_limit(&mut self, _gpu: u32, _milliwatts: &str) -> Result<(), TunerError> {
            none()
        }

        pub fn set_locked_clock(&mut self, _gpu: u32, _megahertz: &str) -> Result<(), TunerError> {
            none()
        }

        pub fn plan_power_limit(&self, _gpu: u32, _limit: Watts) -> Result<Vec<Write>, TunerError> {
            none()
        }

        pub fn plan_clock(&self, _gpu: u32, _clock: KiloHertz) -> Result<Vec<Write>, TunerError> {
            none()
        }

        pub fn verify_power_limit(&self, _gpu: u32, _limit: Watts) -> Result<(), TunerError> {
            none()
        }

        pub fn verify_clock(&self, _gpu: u32, _clock: KiloHertz) -> Result<(), TunerError> {
            none()
        }

        pub fn knobs(&self) -> Vec<KnobReport> {
            Vec::new()
        }

        pub fn now(&self, _knob: Knob) -> Vec<Setting> {
            Vec::new()
        }

        pub fn sensors(&self) -> Vec<SensorReport> {
            Vec::new()
        }

        pub fn energy(&self) -> Result<Vec<u64>, TunerError> {
            Ok(Vec::new())
        }
    }
}
