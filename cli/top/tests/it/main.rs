//! Frames on a terminal of a test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use schemas::{
    ByteCount, Configuration, Cut, Digest, EdgeOutlook, EnergyEntry, EnergySource, Fallback, FaultKind,
    Front, FrontId, HardwareChanges, InstanceId, Joules, KiloHertz, LatencySummary, Measurement, Millis,
    ModelName, NodeId, Outcome, Place, PlanReason, PolicyChoice, PolicyName, Presence, Qos, Receipt, Regret,
    RequestId, SchedulerReport, ServiceKind, ServiceState, UnixMillis,
};
use top::{Live, draw};

const NOW: UnixMillis = UnixMillis(1_790_000_000_000);

fn after(seconds: u64) -> UnixMillis {
    UnixMillis(NOW.0 + seconds * 1_000)
}

fn model() -> ModelName {
    ModelName::new("vgg16").unwrap()
}

fn instance(text: &str) -> InstanceId {
    InstanceId::new(text).unwrap()
}

fn node(text: &str) -> NodeId {
    NodeId::new(text).unwrap()
}

fn ms(value: f64) -> Millis {
    Millis::new(value).unwrap()
}

fn receipt(outcome: Outcome, joules: f64) -> Receipt {
    let entry = |place, joules| EnergyEntry {
        place,
        source: EnergySource::Measured,
        joules: Joules::new(joules).unwrap(),
    };
    Receipt {
        id: RequestId::fresh(),
        model: model(),
        outcome,
        qos: Some(Qos::within(ms(200.0))),
        latency_ms: ms(142.0),
        planned: None,
        predicted_latency_ms: None,
        predicted_energy_j: None,
        executed: Some(Configuration {
            edge_frequency_khz: Some(KiloHertz::from_megahertz(1_400)),
            ..Configuration::at(Cut(7))
        }),
        fallback: None,
        policy: Some(PolicyName::Adaptive),
        reason: Some(PlanReason::LeastEnergyWithinLimit),
        front: None,
        edge: Some(instance("e1")),
        cloud: Some(instance("c1")),
        sent_bytes: ByteCount(0),
        stages: Vec::new(),
        energy: vec![entry(Place::Edge, joules), entry(Place::Cloud, 2.0)],
        breakdown: Vec::new(),
        node: node("pi"),
        at: NOW,
    }
}

fn report() -> SchedulerReport {
    SchedulerReport {
        scheduler: instance("s1"),
        choice: PolicyChoice { policy: PolicyName::Adaptive, shadow: Some(PolicyName::Dynasplit) },
        regret: Some(Regret {
            asked: 10,
            compared: 10,
            within: 9,
            shadow_within: 5,
            latency_ms: -120.0,
            energy_compared: 10,
            energy_j: 2.5,
            ..Regret::default()
        }),
        edges: vec![EdgeOutlook {
            edge: instance("e1"),
            model: model(),
            front: FrontId::fresh(),
            link_base_ms: ms(2.5),
            link_mbit: Some(93.46),
            link_age_ms: Some(ms(12_000.0)),
            clock_khz: None,
        }],
        samples: Vec::new(),
        at: NOW,
    }
}

fn presence(service: ServiceKind, name: &str, credits: u32) -> Presence {
    Presence {
        service,
        instance: instance(name),
        node: node("pi"),
        version: "0.1.0".to_owned(),
        state: if credits == 9 { ServiceState::Draining } else { ServiceState::Ready },
        credits,
        capacity: 16,
        models: Vec::new(),
        hardware: None,
        at: NOW,
    }
}

fn front() -> Front {
    let latency =
        LatencySummary { mean_ms: ms(1.0), p50_ms: ms(1.0), p95_ms: ms(1.0), deviation_ms: Millis::ZERO };
    let point = Measurement {
        configuration: Configuration::at(Cut(7)),
        cut_name: "x".to_owned(),
        latency,
        stages: Vec::new(),
        energy: Vec::new(),
        accuracy: None,
        sent_bytes: ByteCount(0),
        samples: 1,
        uncertainty: None,
        provenance: None,
    };
    Front {
        id: FrontId::fresh(),
        revision: 3,
        model: model(),
        digest: Digest::from_bytes([1; 32]),
        last_cut: Cut(22),
        edge: node("pi"),
        emulates: None,
        cloud: node("rack"),
        points: vec![point.clone(), point.clone()],
        all_cloud: point.clone(),
        all_edge: point,
        tied: Vec::new(),
        suspects: Vec::new(),
        withheld: Vec::new(),
        hardware_changes: HardwareChanges::default(),
        search: None,
        measured: 7,
        started_at: NOW,
        ended_at: UnixMillis(NOW.0 - 3 * 86_400_000),
        software: "test".to_owned(),
        content: None,
    }
}

/// The frame as lines of text.
fn frame(live: &Live, (width, height): (u16, u16), now: UnixMillis) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, live, now)).unwrap();
    let buffer = terminal.backend().buffer().clone();
    let cells = |y| (0..width).map(|x| buffer[(x, y)].symbol().to_owned()).collect::<String>();
    (0..height).map(cells).collect()
}

fn busy() -> Live {
    let mut live = Live::default();
    for number in 0..8 {
        live.hear(&receipt(if number < 6 { Outcome::Within } else { Outcome::Late }, 1.0), after(number));
    }
    live.hear(&receipt(Outcome::Failed(FaultKind::Unavailable), 3.0), after(8));
    live.hear(&receipt(Outcome::Within, 1.0), after(10));
    live.see(vec![
        presence(ServiceKind::EdgeExecutor, "e1", 4),
        presence(ServiceKind::CloudExecutor, "c2", 0),
        presence(ServiceKind::CloudExecutor, "c1", 9),
    ]);
    live.know(vec![Arc::new(front())]);
    live.report(report());
    live
}

/// Asserts that a line has all of these, in this order.
fn assert_line(lines: &[String], parts: &[&str]) {
    let holds = |line: &String| {
        let mut rest = line.as_str();
        parts.iter().all(|part| rest.split_once(part).inspect(|(_, after)| rest = after).is_some())
    };
    assert!(lines.iter().any(holds), "no line with {parts:?} in\n{}", lines.join("\n"));
}

#[test]
fn everything_is_shown() {
    let lines = frame(&busy(), (140, 40), after(10));
    assert_line(
        &lines,
        &["policy adaptive, in its shadow dynasplit", "50 % within against 90 %", "+12.0 ms", "-0.250 J"],
    );
    // Ten requests in ten seconds.
    assert_line(&lines, &["requests 1.0/s"]);
    assert_line(&lines, &["within the limit", "7", "7", "edge", "1.200 J", "12.0 J"]);
    assert_line(&lines, &["late", "2", "2", "wire", "0.000 J", "0.0 J"]);
    assert_line(&lines, &["failed", "1", "1", "cloud", "2.000 J", "20.0 J"]);
    assert_line(&lines, &["share within", "70.0 %", "70.0 %", "together", "3.200 J", "32.0 J"]);
    assert_line(&lines, &["e1 vgg16", "cut 7 at 1400 MHz", "least energy within limit", "142 of 200 ms"]);
    assert_line(&lines, &["93.5 Mbit/s, 2.5 ms"]);
    assert_line(&lines, &["vgg16", "pi and rack", "3", "2", "3 days ago"]);
    assert_line(&lines, &["edge-executor", "e1", "pi", "4 of 16", "ready", "10 s ago"]);
    assert_line(&lines, &["cloud-executor", "c1", "9 of 16", "leaving"]);
    assert_line(&lines, &["cloud-executor", "c2", "0 of 16", "ready"]);
    assert_line(&lines, &["q or Ctrl-C leaves"]);
}

#[test]
fn what_ran_instead_of_the_plan_is_said() {
    let mut live = busy();
    let at_home = Receipt { fallback: Some(Fallback::FinishedAtHome), ..receipt(Outcome::Late, 1.0) };
    live.hear(&at_home, after(11));
    let lines = frame(&live, (140, 40), after(11));
    assert_line(&lines, &["1 run otherwise than planned"]);
    assert_line(&lines, &["e1 vgg16", "finished at home"]);
}

#[test]
fn the_minute_goes_by_and_what_nobody_renews_is_gone() {
    let mut live = busy();
    live.forget(after(65));
    let lines = frame(&live, (140, 40), after(65));
    assert_line(&lines, &["no scheduler says anything"]);
    // Those of the seconds 5, 6, 7, 8 and 10 are left.
    assert_line(&lines, &["within the limit", "2", "7"]);
    assert_line(&lines, &["share within", "40.0 %", "70.0 %"]);
}

#[test]
fn an_empty_system_and_a_small_terminal_are_drawn_too() {
    let lines = frame(&Live::default(), (80, 24), NOW);
    assert_line(&lines, &["no scheduler says anything"]);
    assert_line(&lines, &["share within", "-", "-"]);
    assert_line(&lines, &["no request yet"]);
    for size in [(1, 1), (20, 5), (300, 3)] {
        frame(&busy(), size, after(10));
    }
}

#[test]
fn memory_is_bounded_however_long_it_is_watched() {
    let mut live = Live::default();
    for number in 0..30_000_u64 {
        let name = instance(&format!("e{number}"));
        live.hear(&Receipt { edge: Some(name), ..receipt(Outcome::Within, 1.0) }, NOW);
    }
    let lines = frame(&live, (140, 100), after(1));
    // The last minute is what is kept of it; the sum goes on.
    assert_line(&lines, &["within the limit", "10000", "30000"]);
}
