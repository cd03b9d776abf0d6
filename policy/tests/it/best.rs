//! `adaptive` against every static policy, judged by the same prediction of what is true now: it keeps the limit whenever
//! any of them does, and of those it costs the least, up to what it states itself: that a change of the hardware counts
//! more just after the last one.

use policy::{AdaptiveSettings, CloudExecutor, Decision, Observation, PreparedFront, State};
use proptest::option;
use proptest::prelude::{Strategy, prop, prop_assert, proptest};
use schemas::{
    Accelerator, ByteCount, Configuration, Front, HardwareChanges, InstanceId, KiloHertz, Measurement,
    Millis, Place, PlanReason, PolicyName, Qos, Stage, StageTime, TimeSource,
};

use crate::fronts::{LAST, front, limit, measurement};

/// The static policies that a scheduler has.
const STATIC: [PolicyName; 5] =
    [PolicyName::Dynasplit, PolicyName::Cloud, PolicyName::Edge, PolicyName::Latency, PolicyName::Energy];

fn ms(value: f64) -> Millis {
    Millis::saturating(value)
}

fn stage(stage: Stage, place: Place, time: f64) -> StageTime {
    StageTime { stage, place, time_ms: ms(time), source: TimeSource::Measured }
}

fn points() -> impl Strategy<Value = Vec<Measurement>> {
    let setting = (option::of(1..4_u64), proptest::bool::ANY);
    let point = (0..=LAST.0, prop::array::uniform3(0.0..50.0_f64), 0..100_u64, 0.0..3.0_f64, setting);
    prop::collection::vec(point, 1..20).prop_map(|points| {
        // A front has each configuration once.
        let mut all: Vec<Measurement> = Vec::new();
        for point in points.into_iter().map(measured) {
            if all.iter().all(|other| other.configuration != point.configuration) {
                all.push(point);
            }
        }
        all
    })
}

fn measured(
    (cut, times, kilobytes, joules, (clock, other)): (u16, [f64; 3], u64, f64, (Option<u64>, bool)),
) -> Measurement {
    let [head, wire, tail] = if cut == LAST.0 { [times.iter().sum(), 0.0, 0.0] } else { times };
    let plain = measurement("p", cut, times.iter().sum(), Some(joules), Some(0.7));
    Measurement {
        configuration: Configuration {
            edge_frequency_khz: clock.map(|clock| KiloHertz::from_megahertz(600 * clock)),
            edge_accelerator: if other { Accelerator::OnnxRuntime } else { Accelerator::Cpu },
            ..plain.configuration
        },
        stages: vec![
            stage(Stage::Head, Place::Edge, head),
            stage(Stage::Transfer, Place::Wire, wire),
            stage(Stage::Tail, Place::Cloud, tail),
        ],
        sent_bytes: ByteCount(if cut == LAST.0 { 0 } else { kilobytes * 1000 }),
        ..plain
    }
}

/// How much slower edge, wire and cloud are than measured, in a few receipts, and when.
fn seen() -> impl Strategy<Value = Vec<(usize, [f64; 3], f64)>> {
    prop::collection::vec((0..20_usize, prop::array::uniform3(0.2..5.0_f64), 0.0..500.0_f64), 0..20)
}

/// A state after these receipts, each decided and committed before.
fn lived(front: &PreparedFront, measured: &Front, seen: &[(usize, [f64; 3], f64)]) -> (State, f64) {
    let settings = AdaptiveSettings { explore_after_ms: None, ..AdaptiveSettings::default() };
    let mut state = State::new(front, settings);
    state.set_clouds((0..2).map(|n| CloudExecutor::new(InstanceId::new(format!("c{n}")).unwrap(), 4, true)));
    let mut now = 0.0;
    for (index, slower, pause) in seen {
        now += pause;
        let decision = front.decide(PolicyName::Adaptive, &limit(60.0), &state, ms(now)).unwrap();
        state.commit(front, &decision, ms(now));
        let ran = &measured.points[index % measured.points.len()];
        let time = |place| {
            ran.stages
                .iter()
                .filter(|stage| stage.place == place)
                .map(|stage| stage.time_ms.get())
                .sum::<f64>()
        };
        let times =
            [time(Place::Edge) * slower[0], time(Place::Wire) * slower[1], time(Place::Cloud) * slower[2]];
        let uses_cloud = ran.configuration.cut < LAST;
        state.observe(
            front,
            &Observation {
                at: ms(now),
                configuration: ran.configuration,
                fallback: None,
                cloud: uses_cloud.then_some(index % 2),
                lost_cloud: None,
                sent_bytes: ran.sent_bytes,
                latency: ms(times.iter().sum()),
                limit: None,
                hardware_change: None,
                edge_queue: Millis::ZERO,
                edge: ms(times[0]),
                wire: ms(times[1]),
                cloud_queue: Millis::ZERO,
                cloud_time: ms(times[2]),
                edge_energy: None,
                cloud_energy: None,
            },
        );
    }
    (state, now)
}

/// What a change of the hardware may cost a decision more than its own energy: four times as much, just after the last.
const HOLDING: f64 = 4.0;

proptest! {
    #[test]
    fn no_static_policy_is_predicted_to_be_better(
        points in points(), seen in seen(), later in 0.0..3_000.0_f64, latency in 1.0..200.0_f64,
    ) {
        let measured = front(points);
        let front = PreparedFront::new(&measured);
        let (state, now) = lived(&front, &measured, &seen);
        let (now, qos): (Millis, Qos) = (ms(now + later), limit(latency));
        let prospect = |decision: &Decision| front.prospect(decision, &state, now).unwrap();
        let adaptive = front.decide(PolicyName::Adaptive, &qos, &state, now).unwrap();
        let ours = prospect(&adaptive);
        prop_assert!(ours.latency_ms == adaptive.latency_ms && ours.energy_j == adaptive.energy_j, "a plan says what it predicts");
        for policy in STATIC {
            let theirs = prospect(&front.decide(policy, &qos, &state, now).unwrap());
            if ours.latency_ms > qos.latency_ms {
                prop_assert!(theirs.latency_ms > qos.latency_ms, "{policy} keeps a limit that adaptive does not");
                prop_assert!(adaptive.reason == PlanReason::FastestBecauseNoneWithinLimit);
                prop_assert!(ours.latency_ms <= theirs.latency_ms, "{policy} is faster where nothing is within");
            } else if theirs.latency_ms <= qos.latency_ms {
                // Theirs may change the hardware, and adaptive held it.
                let margin = HOLDING * theirs.change_j.get() + 1e-9;
                let (ours, theirs) = (ours.energy_j.unwrap().get(), theirs.energy_j.unwrap().get());
                prop_assert!(ours <= theirs + margin, "{policy} needs {theirs} J, adaptive {ours} J");
            }
        }
    }
}

/// Two accelerators; the second needs a little less energy.
fn accelerators(gain: f64) -> Front {
    let on = |edge_accelerator, joules| {
        let point = measured((LAST.0, [40.0, 0.0, 0.0], 0, joules, (None, false)));
        Measurement { configuration: Configuration { edge_accelerator, ..point.configuration }, ..point }
    };
    front(vec![on(Accelerator::Cpu, 1.0), on(Accelerator::Cuda, 1.0 - gain)])
}

/// A head of 40 ms that found the hardware set otherwise, or as it should be.
fn observe(
    state: &mut State,
    front: &PreparedFront,
    configuration: &Configuration,
    change: Option<f64>,
    at: f64,
) {
    state.observe(
        front,
        &Observation {
            at: ms(at),
            configuration: *configuration,
            fallback: None,
            cloud: None,
            lost_cloud: None,
            sent_bytes: ByteCount(0),
            latency: ms(40.0 + change.unwrap_or(0.0)),
            limit: None,
            hardware_change: change.map(ms),
            edge_queue: Millis::ZERO,
            edge: ms(40.0),
            wire: Millis::ZERO,
            cloud_queue: Millis::ZERO,
            cloud_time: Millis::ZERO,
            edge_energy: None,
            cloud_energy: None,
        },
    );
}

#[test]
fn changing_the_accelerator_counts_and_what_it_takes_is_learned() {
    let measured = accelerators(0.1);
    let front = PreparedFront::new(&measured);
    let mut state = State::new(&front, AdaptiveSettings::default());
    state.set_clouds([CloudExecutor::new(InstanceId::new("c1").unwrap(), 4, true)]);
    let other = &measured.points[0].configuration;
    let decide = |state: &State, latency: f64, at: f64| {
        front.decide(PolicyName::Adaptive, &limit(latency), state, ms(at)).unwrap()
    };
    // Nothing runs yet: the cheaper one is free to take, and changing it later takes 30 ms each time.
    let first = decide(&state, 500.0, 0.0);
    assert_eq!(first.configuration.edge_accelerator, Accelerator::Cuda);
    state.commit(&front, &first, ms(0.0));
    observe(&mut state, &front, &first.configuration, None, 40.0);
    for (round, configuration) in [other, &first.configuration].into_iter().cycle().take(20).enumerate() {
        observe(&mut state, &front, configuration, Some(30.0), 100.0 * (round + 1) as f64);
    }
    // The processor runs it now; 0.1 J less does not make up for 30 ms of 25 W, and 60 ms leave no time for it.
    let at = 60_000.0;
    let forced = Decision { configuration: *other, ..first };
    state.commit(&front, &forced, ms(at));
    let held = decide(&state, 500.0, at + 5_000.0);
    assert_eq!((held.configuration, held.reason), (*other, PlanReason::HardwareHeld));
    let tight = decide(&state, 60.0, at + 5_000.0);
    assert_eq!(tight.configuration, *other);
    // Where changing it turns out to take nothing, it is changed.
    for (round, configuration) in [&first.configuration, other].into_iter().cycle().take(60).enumerate() {
        observe(&mut state, &front, configuration, None, at + 10_000.0 + 100.0 * round as f64);
    }
    assert_eq!(decide(&state, 500.0, at + 30_000.0).configuration, first.configuration);
}

/// What a change takes is known beforehand where the front says so; the first request does not pay for finding out.
#[test]
fn a_change_that_was_measured_is_believed_before_the_first_receipt() {
    let changes = |accelerator_ms: f64| HardwareChanges {
        clock_ms: Some(ms(2.0)),
        accelerator_ms: Some(ms(accelerator_ms)),
    };
    for (took, wanted) in [(1_500.0, Accelerator::Cpu), (1.0, Accelerator::Cuda)] {
        let measured = Front { hardware_changes: changes(took), ..accelerators(0.5) };
        let front = PreparedFront::new(&measured);
        let mut state = State::new(&front, AdaptiveSettings::default());
        let decide = |state: &State| {
            let decision = front.decide(PolicyName::Adaptive, &limit(500.0), state, ms(10_000.0)).unwrap();
            decision.configuration.edge_accelerator
        };
        let dear =
            Decision { configuration: measured.points[0].configuration, ..first_decision(&front, &state) };
        state.commit(&front, &dear, ms(0.0));
        assert_eq!(decide(&state), wanted, "{took} ms");
        // A simulated device says it itself.
        let other = if wanted == Accelerator::Cpu { 1.0 } else { 1_500.0 };
        state.set_hardware_changes(changes(other));
        assert_ne!(decide(&state), wanted, "{other} ms");
    }
}

/// A front that measured what a change takes is believed as it stands, whatever receipts were multiples of before.
#[test]
fn a_first_measurement_is_not_multiplied_by_what_receipts_made_of_a_guess() {
    let unmeasured = accelerators(0.5);
    let mut state = State::new(&PreparedFront::new(&unmeasured), AdaptiveSettings::default());
    let [cpu, cuda] = [Accelerator::Cpu, Accelerator::Cuda].map(|wanted| {
        let of_it = |point: &&Measurement| point.configuration.edge_accelerator == wanted;
        unmeasured.points.iter().find(of_it).unwrap().configuration
    });
    let old = PreparedFront::new(&unmeasured);
    let on_cpu = Decision { configuration: cpu, ..first_decision(&old, &state) };
    state.commit(&old, &on_cpu, ms(0.0));
    // The first change is quick by chance, those after it are not: the guess gives way, and is multiplied.
    let changes = [None, Some(1.0)].into_iter().chain([Some(400.0); 9]);
    for (round, change) in changes.enumerate() {
        let configuration = if round % 2 == 0 { &cpu } else { &cuda };
        observe(&mut state, &old, configuration, change, 100.0 * round as f64);
    }
    let known = HardwareChanges { clock_ms: Some(ms(1.0)), accelerator_ms: Some(ms(10.0)) };
    let front = PreparedFront::new(&Front { hardware_changes: known, ..unmeasured });
    let state = state.under(&front);
    let decision = front.decide(PolicyName::Adaptive, &limit(500.0), &state, ms(10_000.0)).unwrap();
    assert_eq!(decision.configuration.edge_accelerator, Accelerator::Cuda);
}

fn first_decision(front: &PreparedFront, state: &State) -> Decision {
    front.decide(PolicyName::Adaptive, &limit(500.0), state, ms(0.0)).unwrap()
}
