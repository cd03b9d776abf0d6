use schemas::{
    ByteCount, Classification, Configuration, Cut, EnergyEntry, EnergySource, ExecuteReply, Fallback, Joules,
    KiloHertz, Measurement, Millis, NodeId, Place, Share, Stage, StageTime, Tensor, TimeSource,
};

use super::{Answer, AnswerGroup, Answers, Nodes, Record, Sample, accuracy, deviation};

const TOLERANCE: f64 = 1e-9;

fn ms(value: f64) -> Millis {
    Millis::new(value).unwrap()
}

fn stage(stage: Stage, place: Place, time: f64) -> StageTime {
    StageTime { stage, place, time_ms: ms(time), source: TimeSource::Measured }
}

fn joules(place: Place, joules: f64) -> EnergyEntry {
    EnergyEntry { place, source: EnergySource::Modelled, joules: Joules::new(joules).unwrap() }
}

fn at(cut: u16, megahertz: Option<u64>) -> Configuration {
    Configuration {
        edge_frequency_khz: megahertz.map(KiloHertz::from_megahertz),
        ..Configuration::at(Cut(cut))
    }
}

fn nodes() -> Nodes {
    Nodes { edge: NodeId::new("pi").unwrap(), cloud: NodeId::new("rack").unwrap() }
}

/// A measurement of which only the latency matters.
pub(crate) fn measured(latency_ms: f64) -> Measurement {
    let mut record = Record::new(at(1, None), "node".into(), nodes());
    record.push(Sample::new(ms(latency_ms), &reply(at(1, None), 0, vec![]), 0, None));
    let measurement = record.measurement(Share::saturating(0.95), &Answers::new()).unwrap();
    Measurement { energy: Vec::new(), provenance: None, ..measurement }
}

/// A sample of which only the latency matters.
pub(crate) fn sample(latency_ms: f64) -> Sample {
    let reply = reply(at(1, None), 1, vec![stage(Stage::Head, Place::Edge, 1.5)]);
    Sample { at: schemas::UnixMillis(7), ..Sample::new(ms(latency_ms), &reply, 2, Some(1)) }
}

fn reply(configuration: Configuration, class: u32, stages: Vec<StageTime>) -> ExecuteReply<'static> {
    ExecuteReply {
        output: Tensor::from_f32(vec![1, 2], &[0.0, 1.0]).unwrap(),
        top: vec![Classification { index: class, label: class.to_string(), probability: Share::ZERO }],
        configuration,
        fallback: None,
        cloud: None,
        sent_bytes: ByteCount(100),
        stages,
        energy: vec![joules(Place::Edge, 2.0)],
        breakdown: Vec::new(),
        profiles: Vec::new(),
    }
}

#[test]
fn the_hardware_change_is_taken_off_a_latency() {
    let reply = reply(
        at(1, Some(600)),
        1,
        vec![stage(Stage::HardwareChange, Place::Edge, 30.0), stage(Stage::Head, Place::Edge, 8.0)],
    );
    let sample = Sample::new(ms(50.0), &reply, 3, Some(1));
    assert_eq!(sample.latency, ms(20.0));
    assert_eq!(sample.stages, [stage(Stage::Head, Place::Edge, 8.0)]);
    assert_eq!((sample.picture, sample.answer), (3, Answer { best: Some(1), right: Some(true) }));
}

#[test]
fn a_record_holds_means() {
    let mut record = Record::new(at(1, None), "conv".into(), nodes());
    let quantile = Share::saturating(0.95);
    assert_eq!(record.measurement(quantile, &Answers::new()), None);
    let first = reply(at(1, None), 1, vec![stage(Stage::Head, Place::Edge, 8.0)]);
    let second = reply(
        at(1, None),
        0,
        vec![stage(Stage::Head, Place::Edge, 4.0), stage(Stage::Tail, Place::Cloud, 3.0)],
    );
    let second = ExecuteReply {
        energy: vec![joules(Place::Edge, 4.0), joules(Place::Cloud, 1.0)],
        sent_bytes: ByteCount(300),
        ..second
    };
    record.push(Sample::new(ms(10.0), &first, 0, Some(1)));
    record.push(Sample::new(ms(20.0), &second, 1, Some(1)));
    let measured = record.measurement(quantile, &record.answers()).unwrap();
    assert_eq!(measured.samples, 2);
    assert_eq!(measured.sent_bytes, ByteCount(200));
    assert!((measured.latency.mean_ms.get() - 15.0).abs() < TOLERANCE);
    assert_eq!(
        measured.stages,
        [stage(Stage::Head, Place::Edge, 6.0), stage(Stage::Tail, Place::Cloud, 1.5)]
    );
    // The cloud's energy is known of one sample only, so its mean is unknown.
    assert_eq!(measured.energy, [joules(Place::Edge, 3.0)]);
    let accuracy = measured.accuracy.unwrap();
    assert_eq!((accuracy.share.get(), accuracy.pictures), (0.5, 2));
}

#[test]
fn a_picture_counts_once_for_the_accuracy() {
    let mut record = Record::new(at(1, None), "conv".into(), nodes());
    for picture in [0, 1, 0, 0] {
        let class = u32::from(picture == 0);
        record.push(Sample::new(ms(1.0), &reply(at(1, None), class, vec![]), picture, Some(1)));
    }
    record.push(Sample::new(ms(1.0), &reply(at(1, None), 1, vec![]), 2, None));
    let accuracy = accuracy(&record.answers()).unwrap();
    assert_eq!((accuracy.share.get(), accuracy.pictures), (0.5, 2));
}

#[test]
fn doubt_and_other_machines_begin_again() {
    let mut record = Record::new(at(1, None), "conv".into(), nodes());
    record.push(sample(5.0));
    let elsewhere = Nodes { edge: NodeId::new("pi2").unwrap(), ..nodes() };
    record.begin_again(elsewhere.clone());
    assert_eq!((record.count(), record.nodes(), record.was_doubted()), (0, &elsewhere, false));
    record.push(sample(7.0));
    record.doubt();
    record.push(sample(9.0));
    let measured = record.measurement(Share::saturating(0.95), &Answers::new()).unwrap();
    let provenance = measured.provenance.unwrap();
    assert_eq!((measured.samples, measured.latency.mean_ms, provenance.edge), (1, ms(9.0), elsewhere.edge));
    assert!(provenance.measured_again && provenance.first_at <= provenance.last_at);
}

#[test]
fn who_gives_the_same_answers() {
    let with = |codec: &str, cut| Configuration { codec: codec.parse().unwrap(), ..at(cut, Some(600)) };
    let group = |one: Configuration| AnswerGroup::of(&one);
    assert_eq!(
        group(with("f32", 1)),
        group(Configuration { edge_frequency_khz: None, ..with("f32+lz4", 7) })
    );
    assert_ne!(group(with("i8", 1)), group(with("f32", 1)));
    assert_ne!(group(with("i8", 1)), group(with("i8", 2)));
    let elsewhere = Configuration { cloud_accelerator: schemas::Accelerator::Cuda, ..with("f32", 1) };
    assert_ne!(group(elsewhere), group(with("f32", 1)));
}

#[test]
fn only_the_configuration_asked_for_is_believed() {
    struct Case {
        name: &'static str,
        asked: Configuration,
        ran: Configuration,
        fallback: Option<Fallback>,
        believed: bool,
    }
    let cases = [
        Case { name: "same", asked: at(2, Some(600)), ran: at(2, Some(600)), fallback: None, believed: true },
        Case {
            name: "the clock was left open",
            asked: at(2, None),
            ran: at(2, Some(600)),
            fallback: None,
            believed: true,
        },
        Case {
            name: "another cut",
            asked: at(2, Some(600)),
            ran: at(9, Some(600)),
            fallback: None,
            believed: false,
        },
        Case {
            name: "another codec",
            asked: Configuration { codec: "f16+lz4".parse().unwrap(), ..at(2, Some(600)) },
            ran: at(2, Some(600)),
            fallback: None,
            believed: false,
        },
        Case {
            name: "another clock",
            asked: at(2, Some(600)),
            ran: at(2, Some(800)),
            fallback: None,
            believed: false,
        },
        Case {
            name: "a fallback with the same values",
            asked: at(2, Some(600)),
            ran: at(2, Some(600)),
            fallback: Some(Fallback::HardwareAsItWas),
            believed: false,
        },
    ];
    for case in cases {
        let reply = ExecuteReply { fallback: case.fallback, ..reply(case.ran, 0, vec![]) };
        assert_eq!(deviation(&case.asked, &reply).is_none(), case.believed, "{}", case.name);
    }
}
