use schemas::{
    Accelerator, ByteCount, Cut, CutDescription, DataType, Digest, FaultKind, HardwareReport, InstanceId,
    KiloHertz, ModelDescription, ModelName, NodeId, Presence, ServedModel, ServiceKind, ServiceState,
    TensorSignature, UnixMillis,
};

use super::{Pair, Wanted, choose, replacement, serves};

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

/// A network with cuts 0 to `last`, of which some need not be tried.
pub(crate) fn description_of(last: u16, pruned: &[u16]) -> ModelDescription {
    let cut = |cut| CutDescription {
        cut: Cut(cut),
        name: format!("node{cut}"),
        frontier: Vec::new(),
        bytes: ByteCount(if cut == last { 0 } else { 1_000 / (1 + u64::from(cut)) }),
        macs_before: u64::from(cut),
        macs_after: u64::from(last - cut),
        parameters_before: 0,
        parameters_after: 0,
        dominated_by: pruned.contains(&cut).then_some(Cut(cut + 1)),
    };
    ModelDescription { cuts: (0..=last).map(cut).collect(), ..description() }
}

pub(crate) fn pair_with(megahertz: &[u64], edge_accelerators: &[Accelerator]) -> Pair {
    let mut hardware = presence(ServiceKind::Tuner, "t", "pi", 0).hardware.unwrap();
    hardware.frequencies_khz =
        megahertz.iter().map(|megahertz| KiloHertz::from_megahertz(*megahertz)).collect();
    Pair {
        edge: InstanceId::new("e1").unwrap(),
        edge_node: NodeId::new("pi").unwrap(),
        cloud: InstanceId::new("c1").unwrap(),
        cloud_node: NodeId::new("rack").unwrap(),
        tuner: Some(InstanceId::new("t1").unwrap()),
        hardware: Some(hardware),
        edge_accelerators: edge_accelerators.to_vec(),
        cloud_accelerators: vec![Accelerator::Cpu],
    }
}

fn nodes(pairs: &[Pair]) -> Vec<(&str, &str)> {
    pairs.iter().map(|pair| (pair.edge_node.as_str(), pair.cloud_node.as_str())).collect()
}

#[test]
fn the_first_executors_of_the_same_file_are_measured_with_the_edges_own_tuner() {
    use ServiceKind::{CloudExecutor, EdgeExecutor, Tuner};
    let leaving = Presence { state: ServiceState::Draining, ..presence(EdgeExecutor, "e0", "pi0", 1) };
    let presences = [
        leaving,
        presence(EdgeExecutor, "e2", "pi3", 1),
        presence(EdgeExecutor, "e3", "pi2", 1),
        presence(EdgeExecutor, "e1", "pi1", 9),
        presence(CloudExecutor, "c1", "cloud", 1),
        presence(Tuner, "t1", "pi3", 0),
    ];
    let site = choose(&presences, &description(), Wanted::default()).unwrap();
    let [pair] = site.pairs.as_slice() else { panic!("{:?}", site.pairs) };
    assert_eq!((pair.edge.as_str(), pair.edge_node.as_str(), pair.cloud.as_str()), ("e3", "pi2", "c1"));
    // The tuner that is there is another machine's, which is of another kind.
    assert_eq!((pair.frequencies().len(), pair.emulates()), (0, None));
    assert_eq!(site.other_edges, [NodeId::new("pi3").unwrap()]);

    let with_tuner = [&presences[..], &[presence(Tuner, "t2", "pi2", 0)]].concat();
    let site = choose(&with_tuner, &description(), Wanted::default()).unwrap();
    assert_eq!((site.pairs[0].frequencies().len(), site.pairs[0].emulates()), (2, Some("raspberry-pi-4")));
    assert_eq!(nodes(&site.pairs), [("pi2", "cloud")], "two edges with one cloud would disturb each other");

    let wanted = NodeId::new("pi3").unwrap();
    let wanted = Wanted { edge: Some(&wanted), cloud: None };
    assert_eq!(nodes(&choose(&presences, &description(), wanted).unwrap().pairs), [("pi3", "cloud")]);
}

#[test]
fn equal_machines_measure_side_by_side() {
    use ServiceKind::{CloudExecutor, EdgeExecutor, Tuner};
    let mut presences: Vec<Presence> = ["pi1", "pi2", "pi3", "jetson"]
        .into_iter()
        .flat_map(|node| [presence(EdgeExecutor, node, node, 1), presence(Tuner, node, node, 0)])
        .chain(["rack1", "rack2", "rack3"].map(|node| presence(CloudExecutor, node, node, 1)))
        .collect();
    for jetson in presences.iter_mut().filter(|presence| presence.node.as_str() == "jetson") {
        if let Some(hardware) = &mut jetson.hardware {
            hardware.cores = 6;
        }
    }
    // One rack has what the others lack.
    presences.last_mut().unwrap().models[0].accelerators.push(Accelerator::Cuda);
    let site = choose(&presences, &description(), Wanted::default()).unwrap();
    assert_eq!(nodes(&site.pairs), [("jetson", "rack1")], "the first by name decides the kind");
    assert_eq!(site.other_edges, ["pi1", "pi2", "pi3"].map(|node| NodeId::new(node).unwrap()));
    presences.retain(|presence| presence.node.as_str() != "jetson");
    let site = choose(&presences, &description(), Wanted::default()).unwrap();
    assert_eq!(nodes(&site.pairs), [("pi1", "rack1"), ("pi2", "rack2")]);
    assert!(site.other_edges.is_empty());

    let [first, second] = site.pairs.as_slice() else { panic!("{:?}", site.pairs) };
    let replaced = |presences: &[Presence]| {
        let found = replacement(presences, &description(), first, std::slice::from_ref(second));
        found.map(|pair| pair.edge_node.to_string())
    };
    assert_eq!(replaced(&presences).as_deref(), Some("pi1"), "it is back");
    presences.retain(|presence| presence.node.as_str() != "pi1" || presence.service == EdgeExecutor);
    assert_eq!(replaced(&presences).as_deref(), Some("pi3"), "without a tuner it is another machine");
    presences.retain(|presence| presence.node.as_str() != "pi3");
    assert_eq!(replaced(&presences), None);
}

#[test]
fn a_missing_side_is_named() {
    let presences = [presence(ServiceKind::EdgeExecutor, "e1", "pi", 1)];
    let fault = choose(&presences, &description(), Wanted::default()).unwrap_err();
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
