use schemas::{
    Cut, DataType, Digest, FaultKind, HardwareReport, InstanceId, KiloHertz, ModelDescription, ModelName,
    NodeId, Presence, ServedModel, ServiceKind, ServiceState, TensorSignature, UnixMillis,
};

use super::{choose, serves};

fn signature() -> TensorSignature {
    TensorSignature { name: "t".into(), data_type: DataType::F32, shape: vec![1] }
}

fn description() -> ModelDescription {
    ModelDescription {
        name: ModelName::new("tiny").unwrap(),
        digest: Digest::from_bytes([1; 32]),
        input: signature(),
        output: signature(),
        labels: Vec::new(),
        cuts: Vec::new(),
    }
}

fn presence(service: ServiceKind, instance: &str, node: &str, digest: u8) -> Presence {
    let hardware = (service == ServiceKind::Tuner).then(|| HardwareReport {
        node: NodeId::new(node).unwrap(),
        emulates: Some("raspberry-pi-4".into()),
        cores: 4,
        frequencies_khz: vec![KiloHertz(600_000), KiloHertz(1_800_000)],
        frequency_khz: None,
        governor: None,
        slowdown: None,
        power: None,
        knobs: Vec::new(),
        sensors: Vec::new(),
        meter: None,
        battery: None,
        leases: Vec::new(),
    });
    let served = ServedModel {
        name: ModelName::new("tiny").unwrap(),
        digest: Digest::from_bytes([digest; 32]),
        last_cut: Cut(3),
        input: signature(),
        output: signature(),
        accelerators: vec![schemas::Accelerator::Cpu],
    };
    Presence {
        service,
        instance: InstanceId::new(instance).unwrap(),
        node: NodeId::new(node).unwrap(),
        version: "0.1.0".into(),
        state: ServiceState::Ready,
        credits: 1,
        capacity: 1,
        models: if hardware.is_some() { Vec::new() } else { vec![served] },
        hardware,
        at: UnixMillis(0),
    }
}

#[test]
fn the_first_executors_of_the_same_file_are_measured_with_the_edges_own_tuner() {
    use ServiceKind::{CloudExecutor, EdgeExecutor, Tuner};
    let leaving = Presence { state: ServiceState::Draining, ..presence(EdgeExecutor, "e0", "pi0", 1) };
    let presences = [
        leaving,
        presence(EdgeExecutor, "e3", "pi3", 1),
        presence(EdgeExecutor, "e2", "pi2", 1),
        presence(EdgeExecutor, "e1", "pi1", 9),
        presence(CloudExecutor, "c1", "cloud", 1),
        presence(Tuner, "t1", "pi3", 0),
    ];
    let site = choose(&presences, &description()).unwrap();
    assert_eq!((site.edge.as_str(), site.edge_node.as_str(), site.cloud.as_str()), ("e2", "pi2", "c1"));
    // The tuner that is there is another machine's.
    assert_eq!((site.frequencies.len(), site.emulates), (0, None));

    let with_tuner = [&presences[..], &[presence(Tuner, "t2", "pi2", 0)]].concat();
    let site = choose(&with_tuner, &description()).unwrap();
    assert_eq!((site.frequencies.len(), site.emulates.as_deref()), (2, Some("raspberry-pi-4")));
}

#[test]
fn a_missing_side_is_named() {
    let presences = [presence(ServiceKind::EdgeExecutor, "e1", "pi", 1)];
    let fault = choose(&presences, &description()).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unavailable);
    assert!(fault.message.starts_with("no cloud-executor that serves tiny"), "{}", fault.message);
}

#[test]
fn an_unknown_model_names_the_known_ones() {
    let presences = [presence(ServiceKind::EdgeExecutor, "e1", "pi", 1)];
    serves(&presences, &ModelName::new("tiny").unwrap()).unwrap();
    let unknown = serves(&presences, &ModelName::new("vgg").unwrap()).unwrap_err();
    assert_eq!(
        (unknown.kind, unknown.message.as_str()),
        (FaultKind::UnknownModel, "no model vgg is served here: use tiny")
    );
    assert_eq!(serves(&[], &ModelName::new("tiny").unwrap()).unwrap_err().kind, FaultKind::Unavailable);
}
