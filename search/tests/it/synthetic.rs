//! Pools that nobody measured, of machines and networks that the published pool does not show: what a search that was
//! tuned to that one pool would fail on. Labelled as what they are: `synthetic`.
//!
//! Each is a model of head, wire and tail with noise of its own, one row a configuration.

use std::fmt::Write as _;
use std::path::Path;

use rand::{Rng, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use search::pool::Pool;

/// A pool's name and what makes it different.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No accelerator anywhere; threads that hinder each other; the cheapest clock is in the middle.
    ThreadsOnly,
    /// Twelve codecs over a slow link: what counts is what crosses, and each codec costs accuracy.
    SlowLink,
    /// One corner is best in nearly everything: the front is small.
    Corner,
    /// Head and tail overlap, and the edge throttles when clock and accelerator are both high; stages are not told apart.
    Overlapping,
    /// The best cuts are where the clock is low: nothing of the front lies on the line of highest settings.
    OffTheLine,
    /// As the vision transformer's: no accuracy, no accelerator on the edge; noise of a tenth.
    Noisy,
}

impl Kind {
    pub const ALL: [Self; 6] =
        [Self::ThreadsOnly, Self::SlowLink, Self::Corner, Self::Overlapping, Self::OffTheLine, Self::Noisy];

    /// The pool, the same every time.
    pub fn pool(self) -> Pool {
        Pool::from_reader(self.csv().as_bytes(), Path::new(&format!("synthetic {self:?}")), None).unwrap()
    }

    fn knobs(self) -> Knobs {
        let none: &[&str] = &["off"];
        let clocks = &[600, 800, 1000, 1200, 1400, 1600, 1800];
        let plain = Knobs { cuts: 24, clocks, threads: &[4], edge: none, cloud: none, codecs: &["f32"] };
        match self {
            Self::ThreadsOnly => Knobs { cuts: 31, threads: &[1, 2, 3, 4, 6, 8], ..plain },
            Self::SlowLink => {
                Knobs { cuts: 18, clocks: &[800, 1400], cloud: &["off", "on"], codecs: &CODECS, ..plain }
            }
            Self::Corner => Knobs { cuts: 16, edge: &["off", "std", "max"], cloud: &["off", "on"], ..plain },
            Self::Overlapping => {
                Knobs { cuts: 20, edge: &["off", "std", "max"], cloud: &["off", "on"], ..plain }
            }
            Self::OffTheLine => {
                Knobs { cuts: 24, edge: &["off", "npu", "dsp"], cloud: &["off", "on"], ..plain }
            }
            Self::Noisy => Knobs { cuts: 20, cloud: &["off", "on"], ..plain },
        }
    }

    fn csv(self) -> String {
        let knobs = self.knobs();
        let mut random = ChaCha8Rng::seed_from_u64(self as u64);
        let mut text = String::from(
            "layer,cpu-freq,edge-threads,edge-accelerator,server-accelerator,codec,latency,energy,tensor size (KB)",
        );
        if self != Self::Noisy {
            text.push_str(",accuracy");
        }
        if self != Self::Overlapping {
            text.push_str(",avg latency edge (ms),avg latency transfer (ms),avg latency cloud (ms),avg energy edge (J),avg energy cloud (J)");
        }
        text.push('\n');
        // The network: how much work each layer is and what leaves it.
        let work: Vec<f64> = (0..knobs.cuts).map(|_| 0.3 + random.random::<f64>()).collect();
        let bytes: Vec<f64> = (0..knobs.cuts)
            .map(|cut| 900.0 * 0.8_f64.powi(cut as i32) * (0.4 + 1.2 * random.random::<f64>()))
            .collect();
        for setting in knobs.all() {
            let measured = self.measure(&knobs, setting, &work, &bytes, &mut random);
            self.write(&mut text, &knobs, setting, &bytes, measured);
        }
        text
    }

    fn measure(
        self,
        knobs: &Knobs,
        setting: Setting,
        work: &[f64],
        bytes: &[f64],
        random: &mut impl Rng,
    ) -> Measured {
        let Setting { cut, clock, threads, edge, cloud, codec } = setting;
        let last = knobs.cuts - 1;
        let total: f64 = work.iter().sum();
        let before = work[..=cut].iter().sum::<f64>() / total * f64::from(u8::from(cut > 0));
        let ghz = knobs.clocks[clock] as f64 / 1000.0;
        let mut noise = |deviation: f64| (deviation * (random.random::<f64>() * 2.0 - 1.0) * 1.7).exp();
        let spread = if self == Self::Noisy { 0.1 } else { 0.02 };
        let threads = f64::from(knobs.threads[threads]);
        // Threads help up to four and then stand in each other's way.
        let parallel = threads.powf(0.7) / (1.0 + 0.04 * (threads - 4.0).max(0.0).powi(2));
        let speed = [1.0, 3.0, 5.0][edge]
            * if self == Self::OffTheLine && edge > 0 { 1.0 + 2.0 * (cut as f64 * 0.9).sin() } else { 1.0 }
                .max(0.4);
        let throttled = if self == Self::Overlapping && edge == 2 && ghz > 1.3 { 1.9 } else { 1.0 };
        let codec_factor = [1.0, 0.5, 0.25, 0.26][codec / 3] * [1.0, 0.8, 0.65][codec % 3];
        let codec_time = [0.2, 0.5, 0.9, 0.8][codec / 3] * [1.0, 1.4, 2.5][codec % 3];
        let edge_ms = (8.0 + 600.0 * before / (parallel * speed * ghz.powf(0.9)) * throttled + codec_time)
            * noise(spread);
        let link = if self == Self::SlowLink { 0.35 } else { 0.014 };
        let crosses = cut != last;
        let wire_ms = if crosses { (2.5 + link * bytes[cut] * codec_factor) * noise(spread) } else { 0.0 };
        let cloud_speed = [1.0, 6.0][cloud];
        let cloud_ms =
            if crosses { (3.0 + 120.0 * (1.0 - before) / cloud_speed) * noise(spread) } else { 0.0 };
        let latency = if self == Self::Overlapping {
            edge_ms.max(cloud_ms) + 0.4 * edge_ms.min(cloud_ms) + wire_ms
        } else {
            edge_ms + wire_ms + cloud_ms
        };
        let static_watts = if self == Self::Corner { 0.2 } else { 1.6 };
        let watts = (static_watts + 0.9 * ghz.powi(3) * threads.sqrt() / 2.0 + [0.0, 1.2, 2.0][edge])
            * noise(spread / 2.0);
        let cloud_watts = if self == Self::Corner { 4.0 } else { [90.0, 220.0][cloud] };
        let error = 0.30
            + 0.002 * (codec / 3) as f64 * (3.0 - cut as f64 * 0.1).max(0.0)
            + if edge > 0 && cut > 0 { 0.004 } else { 0.0 };
        Measured {
            latency,
            parts: [edge_ms, wire_ms, cloud_ms],
            joules: [watts * latency / 1000.0, cloud_watts * cloud_ms / 1000.0],
            accuracy: ((1.0 - error) * 1000.0).round() / 1000.0,
        }
    }

    fn write(self, text: &mut String, knobs: &Knobs, setting: Setting, bytes: &[f64], measured: Measured) {
        let Setting { cut, clock, threads, edge, cloud, codec } = setting;
        let Measured { latency, parts: [edge_ms, wire_ms, cloud_ms], joules: [edge_j, cloud_j], accuracy } =
            measured;
        let (clock, threads, codec) = (knobs.clocks[clock], knobs.threads[threads], knobs.codecs[codec]);
        let (edge, cloud) = (knobs.edge[edge], knobs.cloud[cloud]);
        let kib = if cut + 1 < knobs.cuts { bytes[cut] } else { 0.0 };
        write!(text, "{cut},{clock},{threads},{edge},{cloud},{codec},{latency},{},{kib}", edge_j + cloud_j)
            .unwrap();
        if self != Self::Noisy {
            write!(text, ",{accuracy}").unwrap();
        }
        if self != Self::Overlapping {
            write!(text, ",{edge_ms},{wire_ms},{cloud_ms},{edge_j},{cloud_j}").unwrap();
        }
        text.push('\n');
    }
}

const CODECS: [&str; 12] = [
    "f32",
    "f32+lz4",
    "f32+zstd",
    "f16",
    "f16+lz4",
    "f16+zstd",
    "i8-channel",
    "i8-channel+lz4",
    "i8-channel+zstd",
    "i8",
    "i8+lz4",
    "i8+zstd",
];

struct Knobs {
    cuts: usize,
    clocks: &'static [u32],
    threads: &'static [u16],
    edge: &'static [&'static str],
    cloud: &'static [&'static str],
    codecs: &'static [&'static str],
}

#[derive(Clone, Copy)]
struct Setting {
    cut: usize,
    clock: usize,
    threads: usize,
    edge: usize,
    cloud: usize,
    codec: usize,
}

struct Measured {
    latency: f64,
    /// Edge, wire and cloud, ms.
    parts: [f64; 3],
    /// Edge and cloud, J.
    joules: [f64; 2],
    accuracy: f64,
}

impl Knobs {
    /// Every combination but those in which an accelerator has nothing to do.
    fn all(&self) -> Vec<Setting> {
        let sizes = [
            self.cuts,
            self.clocks.len(),
            self.threads.len(),
            self.edge.len(),
            self.cloud.len(),
            self.codecs.len(),
        ];
        let setting = |mut number: usize| {
            let places = sizes.map(|size| {
                let place = number % size;
                number /= size;
                place
            });
            let [cut, clock, threads, edge, cloud, codec] = places;
            Setting { cut, clock, threads, edge, cloud, codec }
        };
        let is_sensible = |setting: &Setting| {
            (setting.cut > 0 || setting.edge == 0) && (setting.cut + 1 < self.cuts || setting.cloud == 0)
        };
        (0..sizes.iter().product()).map(setting).filter(is_sensible).collect()
    }
}
