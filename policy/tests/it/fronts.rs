//! Fronts and presences to test with.

use std::sync::Arc;

use policy::PreparedFront;
use schemas::{
    Accuracy, ByteCount, Configuration, Cut, DataType, Digest, EnergyEntry, EnergySource, Front, FrontId,
    HardwareChanges, InstanceId, Joules, LatencySummary, Measurement, Millis, ModelName, NodeId, Place,
    Presence, Qos, ServedModel, ServiceKind, ServiceState, Share, TensorSignature, UnixMillis,
};

/// The last cut of every network here.
pub const LAST: Cut = Cut(22);

pub fn model(name: &str) -> ModelName {
    ModelName::new(name).unwrap()
}

pub fn digest(fill: char) -> Digest {
    Digest::new(fill.to_string().repeat(64)).unwrap()
}

/// A measurement of `cut`: latency in ms, energy in J, accuracy as a share.
pub fn measurement(
    name: &str,
    cut: u16,
    latency: f64,
    energy: Option<f64>,
    accuracy: Option<f64>,
) -> Measurement {
    let latency = Millis::new(latency).unwrap();
    let entry = |joules| EnergyEntry {
        place: Place::Edge,
        source: EnergySource::Measured,
        joules: Joules::new(joules).unwrap(),
    };
    Measurement {
        configuration: Configuration::at(Cut(cut)),
        cut_name: name.to_owned(),
        latency: LatencySummary {
            mean_ms: latency,
            p50_ms: latency,
            p95_ms: latency,
            deviation_ms: Millis::ZERO,
        },
        stages: Vec::new(),
        energy: energy.into_iter().map(entry).collect(),
        accuracy: accuracy.map(|share| Accuracy { share: Share::new(share).unwrap(), pictures: 1000 }),
        sent_bytes: ByteCount(0),
        samples: 1,
        uncertainty: None,
        provenance: None,
    }
}

/// A front of these points, with anchors that are slower and dearer than anything else here.
pub fn front(points: Vec<Measurement>) -> Front {
    Front {
        id: FrontId::fresh(),
        revision: 1,
        model: model("vgg16"),
        digest: digest('a'),
        last_cut: LAST,
        edge: NodeId::new("pi").unwrap(),
        emulates: None,
        cloud: NodeId::new("rack").unwrap(),
        points,
        all_cloud: measurement("all cloud", 0, 900.0, Some(900.0), Some(0.9)),
        all_edge: measurement("all edge", LAST.0, 800.0, Some(800.0), Some(0.8)),
        tied: Vec::new(),
        suspects: Vec::new(),
        withheld: Vec::new(),
        hardware_changes: HardwareChanges::default(),
        search: None,
        measured: 7,
        started_at: UnixMillis(1),
        ended_at: UnixMillis(2),
        software: "test".to_owned(),
        content: None,
    }
}

pub fn prepared(points: Vec<Measurement>) -> PreparedFront {
    PreparedFront::new(&front(points))
}

pub fn shared(front: &Front) -> Arc<PreparedFront> {
    Arc::new(PreparedFront::new(front))
}

pub fn limit(latency: f64) -> Qos {
    Qos::within(Millis::new(latency).unwrap())
}

pub fn presence(service: ServiceKind, instance: &str, node: &str, credits: u32) -> Presence {
    let signature = TensorSignature { name: "x".to_owned(), data_type: DataType::F32, shape: vec![1, 10] };
    Presence {
        service,
        instance: InstanceId::new(instance).unwrap(),
        node: NodeId::new(node).unwrap(),
        version: "0.1.0".to_owned(),
        state: ServiceState::Ready,
        credits,
        capacity: 8,
        models: vec![ServedModel {
            name: model("vgg16"),
            digest: digest('a'),
            last_cut: LAST,
            input: signature.clone(),
            output: signature,
            accelerators: vec![schemas::Accelerator::Cpu],
        }],
        hardware: None,
        at: UnixMillis(3),
    }
}
