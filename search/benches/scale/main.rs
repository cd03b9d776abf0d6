//! What `greybox` itself costs: seconds and memory, for 149 measurements of 747 configurations and for a stopped search of
//! 100 000.
//!
//! `cargo bench -p search --bench scale`. The spaces and their values are synthetic: a head, a wire and a tail.

#![allow(clippy::expect_used)]

use std::time::Instant;

use peak_alloc::PeakAlloc;
use schemas::{ByteCount, Cut, Joules, KiloHertz, Millis, Share};
use search::knob::{Knob, Value};
use search::strategy::{StopRule, StrategyName};
use search::{Candidate, CutFacts, Observation, Parts, Space};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

fn main() {
    println!(
        "command: cargo bench -p search --bench scale; {} cores",
        std::thread::available_parallelism().map_or(1, usize::from)
    );
    println!("{:>14} {:>12} {:>9} {:>11}", "configurations", "measurements", "seconds", "peak, MiB");
    run(space(18, 7, 1, 3, 2), Some(149), None);
    run(space(50, 10, 5, 4, 10), None, Some(StopRule::default()));
}

fn run(space: Space, most: Option<usize>, stop: Option<StopRule>) {
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let began = Instant::now();
    let facts: Vec<CutFacts> = (0..space.values(Knob::Cut).len())
        .map(|cut| CutFacts::of_bytes(ByteCount((900_000.0 * 0.9_f64.powi(cut as i32)) as u64)))
        .collect();
    let mut search = StrategyName::Greybox.build(&space, &facts, 1, stop).expect("the space is small enough");
    let mut measured = 0;
    while most.is_none_or(|most| measured < most) {
        let asked = search.ask(1);
        let Some(&candidate) = asked.first() else { break };
        search.tell(candidate, &observe(&space, candidate));
        measured += 1;
    }
    let seconds = began.elapsed().as_secs_f64();
    let peak = (MEMORY.peak_usage() - before) as f64 / f64::from(1 << 20);
    println!("{:>14} {measured:>12} {seconds:>9.2} {peak:>11.0}", space.count());
}

fn space(cuts: u16, clocks: u64, threads: u16, edge: usize, cloud: usize) -> Space {
    let accelerators =
        |count: usize| (0..count).map(|name| Value::Accelerator(format!("mode-{name}"))).collect();
    let threads = (1..=threads).filter_map(std::num::NonZeroU16::new).map(Value::Threads).collect();
    let knobs = vec![
        (Knob::Cut, (0..cuts).map(|cut| Value::Cut(Cut(cut))).collect()),
        (
            Knob::EdgeFrequency,
            (0..clocks).map(|clock| Value::Frequency(KiloHertz(600_000 + 200_000 * clock))).collect(),
        ),
        (Knob::EdgeThreads, threads),
        (Knob::EdgeAccelerator, accelerators(edge)),
        (Knob::CloudAccelerator, accelerators(cloud)),
    ];
    Space::new(knobs, &[]).expect("the knobs have values")
}

fn observe(space: &Space, candidate: Candidate) -> Observation {
    let place = |knob: Knob| candidate.place(knob) as f64;
    let share = place(Knob::Cut) / (space.values(Knob::Cut).len() - 1) as f64;
    let clock = 0.6 + 0.2 * place(Knob::EdgeFrequency);
    let speed = clock * (1.0 + place(Knob::EdgeThreads)).sqrt() * (1.0 + place(Knob::EdgeAccelerator));
    // Not quite the sum of its parts, as nothing is.
    let ripple = 1.0 + 0.03 * (7.0 * share + 3.0 * clock + place(Knob::CloudAccelerator)).sin();
    let edge_time = (8.0 + 500.0 * share / speed) * ripple;
    let wire_time = if share < 1.0 { 3.0 + 40.0 * 0.9_f64.powf(place(Knob::Cut)) } else { 0.0 };
    let cloud_time = if share < 1.0 {
        (3.0 + 150.0 * (1.0 - share) / (1.0 + place(Knob::CloudAccelerator))) * ripple
    } else {
        0.0
    };
    let latency = edge_time + wire_time + cloud_time;
    let edge_energy = (1.5 + clock.powi(3) + place(Knob::EdgeAccelerator)) * latency / 1000.0;
    let cloud_energy = (60.0 + 30.0 * place(Knob::CloudAccelerator)) * cloud_time / 1000.0;
    Observation {
        latency: Millis::saturating(latency),
        energy: Some(Joules::saturating(edge_energy + cloud_energy)),
        accuracy: Some(Share::saturating(if place(Knob::EdgeAccelerator) > 0.0 { 0.7 } else { 0.71 })),
        parts: Some(Parts {
            edge_time: Millis::saturating(edge_time),
            wire_time: Millis::saturating(wire_time),
            cloud_time: Millis::saturating(cloud_time),
            edge_energy: Joules::saturating(edge_energy),
            cloud_energy: Joules::saturating(cloud_energy),
        }),
    }
}
