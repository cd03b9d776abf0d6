//! The default policy: its promises over many fronts and states, and what it does when the world moves.

use policy::{AdaptiveSettings, CloudExecutor, Observation, PreparedFront, Refusal, State};
use proptest::option;
use proptest::prelude::{Strategy, prop, prop_assert, prop_assert_eq, proptest};
use schemas::{
    ByteCount, Cut, Fallback, Front, InstanceId, Joules, KiloHertz, LimitKind, Measurement, Millis, Place,
    PlanReason, PolicyName, Qos, Share, Stage, StageTime, TimeSource,
};

use crate::fronts::{LAST, front, limit, measurement};

fn ms(value: f64) -> Millis {
    Millis::new(value).unwrap()
}

fn stage(stage: Stage, place: Place, time: f64) -> StageTime {
    StageTime { stage, place, time_ms: ms(time), source: TimeSource::Measured }
}

/// A configuration that sends `kilobytes`: head, wire and tail in ms, all joules on the edge.
fn split(cut: u16, times: [f64; 3], kilobytes: u64, joules: f64) -> Measurement {
    let stages = vec![
        stage(Stage::Head, Place::Edge, times[0]),
        stage(Stage::Transfer, Place::Wire, times[1]),
        stage(Stage::Tail, Place::Cloud, times[2]),
    ];
    let measured = measurement("split", cut, times.iter().sum(), Some(joules), Some(0.7));
    Measurement { stages, sent_bytes: ByteCount(kilobytes * 1000), ..measured }
}

fn home(time: f64, joules: f64) -> Measurement {
    let stages = vec![stage(Stage::Head, Place::Edge, time)];
    Measurement { stages, ..measurement("home", LAST.0, time, Some(joules), Some(0.7)) }
}

/// The cloud is faster and cheaper on a link of 100 Mbit/s with 2 ms: 50 KB take 6 ms, 5 KB 2.4 ms.
fn world() -> Front {
    let all_cloud = split(0, [0.1, 6.0, 4.0], 50, 0.5);
    let all_edge = home(40.0, 1.5);
    Front {
        all_cloud: all_cloud.clone(),
        all_edge: all_edge.clone(),
        ..front(vec![all_cloud, split(10, [20.0, 2.4, 2.0], 5, 1.0), all_edge])
    }
}

struct Site {
    front: PreparedFront,
    state: State,
    measured: Front,
    now: f64,
    /// Megabits a second, how many times slower each cloud executor is, and how long requests wait for one, in ms.
    bandwidth: f64,
    slowdown: [f64; 3],
    queue: f64,
}

impl Site {
    fn new(executors: usize) -> Self {
        let measured = world();
        let front = PreparedFront::new(&measured);
        let mut state = State::new(&front, AdaptiveSettings::default());
        let executor = |number| CloudExecutor::new(InstanceId::new(format!("c{number}")).unwrap(), 8, true);
        state.set_clouds((0..executors).map(executor));
        Self { front, state, measured, now: 0.0, bandwidth: 100.0, slowdown: [1.0; 3], queue: 0.0 }
    }

    fn decide(&self, qos: &Qos) -> Result<policy::Decision, Refusal> {
        self.front.decide(PolicyName::Adaptive, qos, &self.state, ms(self.now))
    }

    /// Decides, runs in the world as it is, and learns; the cut and how long it took.
    fn request(&mut self, limit_ms: f64) -> (Cut, f64, PlanReason) {
        let decision = self.decide(&limit(limit_ms)).unwrap();
        self.state.commit(&self.front, &decision, ms(self.now));
        let cut = decision.configuration.cut;
        let points = self.measured.points.iter();
        let ran = points.into_iter().find(|point| point.configuration.cut == cut).unwrap();
        let time =
            |place| ran.stages.iter().filter(|s| s.place == place).map(|s| s.time_ms.get()).sum::<f64>();
        let uses_cloud = cut < LAST;
        let wire = if uses_cloud { 2.0 + ran.sent_bytes.0 as f64 * 8e-3 / self.bandwidth } else { 0.0 };
        let slowdown = decision.cloud.map_or(1.0, |cloud| self.slowdown[cloud]);
        let (edge, cloud) = (time(Place::Edge), time(Place::Cloud) * slowdown);
        let waited = if uses_cloud { self.queue } else { 0.0 };
        let took = edge + wire + waited + cloud;
        self.now += took;
        self.state.observe(
            &self.front,
            &Observation {
                at: ms(self.now),
                configuration: decision.configuration,
                fallback: None,
                cloud: decision.cloud,
                lost_cloud: None,
                sent_bytes: ran.sent_bytes,
                latency: ms(took),
                limit: Some(ms(limit_ms)),
                hardware_change: None,
                edge_queue: Millis::ZERO,
                edge: ms(edge),
                wire: ms(wire),
                cloud_queue: ms(waited),
                cloud_time: ms(cloud),
                edge_energy: None,
                cloud_energy: None,
            },
        );
        // A request a tenth of a second.
        self.now += 100.0;
        (cut, took, decision.reason)
    }
}

#[test]
fn the_cut_follows_the_link_and_comes_back() {
    let mut site = Site::new(1);
    for _ in 0..20 {
        assert_eq!(site.request(60.0).0, Cut(0), "the cloud is cheapest on a good link");
    }
    // 50 KB take 202 ms now, 5 KB 22 ms.
    site.bandwidth = 2.0;
    let thin: Vec<_> = (0..50).map(|_| site.request(60.0)).collect();
    let late = thin.iter().filter(|(_, took, _)| *took > 60.0).count();
    assert!(late <= 2, "{late} of 50 were late while the link was thin: {thin:?}");
    assert!(thin[2..].iter().all(|(cut, ..)| *cut != Cut(0)));

    site.bandwidth = 100.0;
    let back: Vec<_> = (0..100).map(|_| site.request(60.0)).collect();
    assert!(back.iter().all(|(_, took, _)| *took <= 60.0), "learning of the recovery costs no limit");
    assert!(back[60..].iter().all(|(cut, ..)| *cut == Cut(0)), "{back:?}");
}

/// On a link so thin that no request could try it in time, those that nothing can keep find out that it is well again.
#[test]
fn requests_that_are_lost_anyway_find_a_link_that_recovered() {
    let mut site = Site::new(1);
    let alternating = |site: &mut Site, count: usize| -> Vec<_> {
        let limits = [42.0, 30.0].into_iter().cycle().take(count);
        limits.map(|limit| (limit, site.request(limit))).collect()
    };
    alternating(&mut site, 20);
    // 5 KB take 82 ms now; at home it takes 40.
    site.bandwidth = 0.5;
    let thin = alternating(&mut site, 40);
    let kept = thin.iter().filter(|(limit, (_, took, _))| *limit > 40.0 && *took <= *limit).count();
    assert!(kept >= 18, "{kept} of 20 that home can keep: {thin:?}");

    site.bandwidth = 100.0;
    let back = alternating(&mut site, 60);
    assert!(back[40..].iter().all(|(limit, (_, took, _))| took <= limit), "{back:?}");
    assert!(back.iter().all(|(limit, (_, took, _))| *limit < 40.0 || took <= limit), "{back:?}");
}

#[test]
fn a_cloud_that_slows_ten_times_is_left_and_taken_again() {
    let mut site = Site::new(1);
    for _ in 0..20 {
        site.request(44.0);
    }
    site.slowdown = [10.0; 3];
    let slow: Vec<_> = (0..50).map(|_| site.request(44.0)).collect();
    let late = slow.iter().filter(|(_, took, _)| *took > 44.0).count();
    assert!(late <= 2, "{late} late: {slow:?}");
}

/// Where nothing keeps the limit, the fastest is taken: a cloud that was slower than the edge is looked at again.
#[test]
fn the_fastest_is_the_cloud_again_when_it_has_recovered() {
    let mut site = Site::new(1);
    for _ in 0..20 {
        assert_eq!(
            site.request(1.0).0,
            Cut(0),
            "the cloud is the fastest, though nothing takes a millisecond"
        );
    }
    (site.slowdown, site.queue) = ([50.0; 3], 600.0);
    let slow: Vec<_> = (0..100).map(|_| site.request(1.0)).collect();
    let looks = slow[4..].iter().filter(|(cut, ..)| *cut != LAST).count();
    assert!(looks <= 6, "{looks} of 96 went to a cloud that nobody had seen well: {slow:?}");

    (site.slowdown, site.queue) = ([1.0; 3], 0.0);
    let back: Vec<_> = (0..200).map(|_| site.request(1.0)).collect();
    let again = back.iter().position(|(_, took, _)| *took < 40.0).unwrap();
    assert!(back[again + 30..].iter().all(|(_, took, _)| *took < 40.0), "{again}: {back:?}");
}

/// A queue is worked off while nobody looks.
#[test]
fn a_queue_seen_once_keeps_nobody_away_for_ever() {
    let mut site = Site::new(1);
    for _ in 0..20 {
        site.request(44.0);
    }
    site.queue = 600.0;
    let full: Vec<_> = (0..20).map(|_| site.request(44.0)).collect();
    let late = full.iter().filter(|(_, took, _)| *took > 44.0).count();
    assert!(late <= 3, "{late} of 20 waited: {full:?}");
    site.queue = 0.0;
    let back: Vec<_> = (0..300).map(|_| site.request(44.0)).collect();
    assert!(back[250..].iter().all(|(cut, ..)| *cut == Cut(0)), "{back:?}");
}

#[test]
fn of_three_executors_the_slow_one_gets_nothing() {
    let mut site = Site::new(3);
    site.slowdown = [10.0, 1.0, 1.0];
    let times: Vec<f64> = (0..40).map(|_| site.request(60.0).1).collect();
    assert!(times[5..].iter().all(|took| *took < 20.0), "{times:?}");
}

#[test]
fn an_executor_that_loses_a_request_is_left_alone_for_a_while() {
    let mut site = Site::new(2);
    let first = site.decide(&limit(60.0)).unwrap();
    let lost = Observation {
        at: ms(50.0),
        configuration: schemas::Configuration::at(LAST),
        fallback: Some(Fallback::FinishedAtHome),
        cloud: None,
        lost_cloud: first.cloud,
        sent_bytes: ByteCount(0),
        latency: ms(1_000.0),
        limit: None,
        hardware_change: None,
        edge_queue: Millis::ZERO,
        edge: ms(40.0),
        wire: ms(900.0),
        cloud_queue: Millis::ZERO,
        cloud_time: Millis::ZERO,
        edge_energy: None,
        cloud_energy: None,
    };
    site.state.observe(&site.front, &lost);
    site.now = 60.0;
    assert_ne!(site.decide(&limit(60.0)).unwrap().cloud, first.cloud);
    site.now = 1_100.0;
    assert_eq!(site.decide(&limit(60.0)).unwrap().cloud, first.cloud);
}

#[test]
fn a_hard_limit_that_nothing_keeps_is_refused_with_what_would_be() {
    let site = Site::new(1);
    let hard = |latency| Qos { limit: LimitKind::Hard, ..limit(latency) };
    let refused = site.decide(&hard(5.0)).unwrap_err();
    let Refusal::Infeasible { latency, energy, .. } = refused else { panic!("{refused}") };
    assert!(latency > ms(5.0) && energy.is_some());
    assert!(site.decide(&hard(latency.get())).is_ok(), "the least limit that is named is accepted");
    let soft = site.decide(&limit(5.0)).unwrap();
    assert_eq!(soft.reason, PlanReason::FastestBecauseNoneWithinLimit);
}

#[test]
fn waiting_work_counts_and_a_refusal_says_when_it_is_done() {
    let mut site = Site::new(1);
    for _ in 0..10 {
        let decision = site.front.decide(PolicyName::Edge, &limit(60.0), &site.state, Millis::ZERO).unwrap();
        site.state.commit(&site.front, &decision, Millis::ZERO);
    }
    let hard = Qos { limit: LimitKind::Hard, ..limit(60.0) };
    let Err(Refusal::Infeasible { retry_after: Some(after), .. }) = site.decide(&hard) else {
        panic!("accepted behind 400 ms of work")
    };
    assert!((after.get() - 400.0).abs() < 1.0, "{after}");
    site.now = after.get();
    assert!(site.decide(&hard).is_ok());
}

/// Two clocks; the lower one needs little less energy.
fn clocks(gain: f64) -> Front {
    let at = |megahertz, time, joules| {
        let mut point = home(time, joules);
        point.configuration.edge_frequency_khz = Some(KiloHertz::from_megahertz(megahertz));
        point
    };
    front(vec![at(1800, 40.0, 1.0), at(800, 80.0, 1.0 - gain)])
}

#[test]
fn alternating_limits_do_not_thrash_the_clock() {
    let changes = |gain| {
        let measured = clocks(gain);
        let front = PreparedFront::new(&measured);
        let mut state = State::new(&front, AdaptiveSettings::default());
        let (mut now, mut changes) = (0.0, 0);
        for request in 0..100 {
            let limit_ms = if request % 2 == 0 { 60.0 } else { 150.0 };
            let decision = front.decide(PolicyName::Adaptive, &limit(limit_ms), &state, ms(now)).unwrap();
            changes += u32::from(state.clock() != decision.configuration.edge_frequency_khz);
            state.commit(&front, &decision, ms(now));
            now += 200.0;
        }
        changes
    };
    assert_eq!(changes(0.05), 1, "the energy saved does not make up for the change");
    assert!(changes(0.9) >= 99, "it does here");
}

#[test]
fn the_energy_weight_goes_from_the_least_energy_to_the_fastest() {
    let site = Site::new(1);
    let weighted = |weight| {
        let qos = Qos { energy_weight: Some(Share::new(weight).unwrap()), ..limit(100.0) };
        site.decide(&qos).unwrap().configuration.cut
    };
    assert_eq!(weighted(0.0), Cut(0));
    assert_eq!(weighted(1.0), Cut(0), "the cloud is both here");
}

fn points() -> impl Strategy<Value = Vec<Measurement>> {
    let point =
        (0..=LAST.0, prop::array::uniform3(0.0..50.0_f64), 0..100_u64, 0.0..3.0_f64, option::of(0..4_u32));
    prop::collection::vec(point, 1..20).prop_map(|points| {
        let measured = points.into_iter().map(|(cut, times, kilobytes, joules, accuracy)| Measurement {
            accuracy: accuracy.map(|tenths| schemas::Accuracy {
                share: Share::saturating(f64::from(tenths) / 10.0),
                pictures: 10,
            }),
            ..split(cut, times, kilobytes, joules)
        });
        measured.collect()
    })
}

fn observations() -> impl Strategy<Value = Vec<(usize, [f64; 6], u64, bool)>> {
    let time = prop_oneof_times();
    prop::collection::vec(
        (0..20_usize, prop::array::uniform6(time), 0..100_000_u64, proptest::bool::ANY),
        0..30,
    )
}

fn prop_oneof_times() -> impl Strategy<Value = f64> {
    proptest::prop_oneof![0.0..100.0_f64, proptest::strategy::Just(0.0), 0.0..1e9_f64]
}

/// A state that has seen anything at all.
fn learned(
    front: &PreparedFront,
    measured: &Front,
    seen: &[(usize, [f64; 6], u64, bool)],
    explore: bool,
) -> State {
    let explore_after_ms = explore.then(|| ms(1_000.0));
    let mut state = State::new(front, AdaptiveSettings { explore_after_ms, ..AdaptiveSettings::default() });
    state.set_clouds((0..2).map(|n| CloudExecutor::new(InstanceId::new(format!("c{n}")).unwrap(), n, true)));
    for (step, (index, times, bytes, lost)) in seen.iter().enumerate() {
        let measurement = &measured.points[index % measured.points.len()];
        let observation = Observation {
            at: ms(step as f64 * 10.0),
            configuration: measurement.configuration,
            fallback: None,
            cloud: Some(index % 2),
            lost_cloud: lost.then_some(1),
            sent_bytes: ByteCount(*bytes),
            latency: ms(times.iter().sum()),
            limit: None,
            hardware_change: None,
            edge_queue: ms(times[0]),
            edge: ms(times[1]),
            wire: ms(times[2]),
            cloud_queue: ms(times[3]),
            cloud_time: ms(times[4]),
            edge_energy: Some(Joules::new(times[5]).unwrap()),
            cloud_energy: None,
        };
        state.observe(front, &observation);
    }
    state
}

fn floors() -> impl Strategy<Value = Qos> {
    (0.0..300.0_f64, option::of(0..5_u32), option::of(0..=LAST.0)).prop_map(|(latency, accuracy, cut)| Qos {
        accuracy_floor: accuracy.map(|tenths| Share::saturating(f64::from(tenths) / 10.0)),
        least_cut: cut.map(Cut),
        ..limit(latency)
    })
}

proptest! {
    #[test]
    fn whatever_was_seen_decisions_keep_floors_and_are_numbers(
        points in points(), seen in observations(), qos in floors(), now in 0.0..1e6_f64, explore: bool,
    ) {
        let measured = front(points);
        let front = PreparedFront::new(&measured);
        let state = learned(&front, &measured, &seen, explore);
        let decide = || front.decide(PolicyName::Adaptive, &qos, &state, ms(now));
        prop_assert_eq!(decide(), decide(), "not deterministic");
        let Ok(decision) = decide() else {
            prop_assert!(qos.accuracy_floor.is_some(), "refused without a floor");
            return Ok(());
        };
        prop_assert!(decision.latency_ms.get().is_finite());
        prop_assert!(decision.energy_j.is_none_or(|joules| joules.get().is_finite()));
        prop_assert!(decision.configuration.cut >= qos.least_cut.unwrap_or(Cut(0)), "privacy floor");
        let all = measured.points.iter().chain([&measured.all_cloud, &measured.all_edge]);
        let same = all.into_iter().filter(|point| point.configuration == decision.configuration);
        let best = same.filter_map(|point| point.accuracy).map(|accuracy| accuracy.share.get());
        let best = best.fold(-1.0, f64::max);
        prop_assert!(qos.accuracy_floor.is_none_or(|floor| best >= floor.get()), "accuracy floor");
        prop_assert_eq!(decision.cloud.is_some(), decision.configuration.cut < LAST);
    }

    #[test]
    fn more_time_never_costs_more_energy(
        points in points(), seen in observations(), tight in 0.0..300.0_f64, more in 0.0..300.0_f64,
    ) {
        let measured = front(points);
        let front = PreparedFront::new(&measured);
        let state = learned(&front, &measured, &seen, false);
        let decide = |latency| front.decide(PolicyName::Adaptive, &limit(latency), &state, ms(500.0)).unwrap();
        let (tight, loose) = (decide(tight), decide(tight + more));
        if tight.reason != PlanReason::FastestBecauseNoneWithinLimit {
            prop_assert!(loose.reason != PlanReason::FastestBecauseNoneWithinLimit);
            prop_assert!(loose.energy_j <= tight.energy_j, "{:?} {:?}", tight, loose);
        }
    }

    #[test]
    fn exploring_stays_within_the_limit_or_spends_what_is_lost_anyway(
        points in points(), seen in observations(), latency in 0.0..300.0_f64,
    ) {
        let measured = front(points);
        let front = PreparedFront::new(&measured);
        let state = learned(&front, &measured, &seen, true);
        let decision = front.decide(PolicyName::Adaptive, &limit(latency), &state, ms(1e5)).unwrap();
        if decision.reason == PlanReason::Explored && decision.latency_ms.get() > latency {
            let state = learned(&front, &measured, &seen, false);
            let otherwise = front.decide(PolicyName::Adaptive, &limit(latency), &state, ms(1e5)).unwrap();
            prop_assert_eq!(otherwise.reason, PlanReason::FastestBecauseNoneWithinLimit);
        }
    }
}
