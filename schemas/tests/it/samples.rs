//! One example of every message, with every optional field filled.

use std::borrow::Cow;

use schemas::{
    Accuracy, Bandwidth, BatteryReport, ByteCount, CameOut, Classification, Codec, CodecLoss, Configuration,
    CpuQuota, Cut, CutDescription, DataType, DevicePower, Digest, EdgeOutlook, EncodedTensor, EnergyEntry,
    EnergySource, ExecuteReply, ExecuteRequest, Expectation, Fallback, Fault, FaultKind, Feasible, Front,
    FrontId, HardwareChanges, HardwareReadBack, HardwareReport, InferReply, InferRequest, Input, InstanceId,
    Joules, KiloHertz, Knob, KnobReport, KnobSupport, LabelledPicture, LatencySummary, LayerProfile,
    LeaseReport, LimitKind, LinkReply, LinkRequest, LinkState, LossBasis, Measurement, MeterReading,
    MetricsSnapshot, Millis, ModelDescription, ModelName, NodeId, OptimizeProgress, OptimizeReply,
    OptimizeRequest, OptimizeTask, Outcome, Place, Plan, PlanReason, PlanRequest, PolicyChoice, PolicyName,
    Presence, Provenance, Qos, Receipt, Regret, RequestId, Sample, Scale, SchedulerReport, SearchSummary,
    SearchWishes, SensorKind, SensorReport, ServedModel, ServiceKind, ServiceState, Setting, SettingWrite,
    Share, Stage, StageEnergy, StageTime, Suspicion, TailPayload, TailReply, TailRequest, Tensor,
    TensorSignature, TimeSource, TuneOrder, TuneReply, TuneRequest, Uncertainty, UnixMillis, Watts,
    WithheldCodec,
};

fn id() -> RequestId {
    "0193a5b0-0000-7000-8000-000000000001".parse().unwrap()
}

fn front_id() -> FrontId {
    "0193a5b0-0000-7000-8000-000000000002".parse().unwrap()
}

fn model() -> ModelName {
    ModelName::new("shapes10").unwrap()
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

fn digest() -> Digest {
    Digest::from_bytes([0xab; 32])
}

fn qos() -> Qos {
    let accuracy_floor = Some(Share::new(0.9).unwrap());
    Qos { accuracy_floor, least_cut: Some(Cut(3)), ..Qos::within(ms(200.0)) }
}

fn configuration() -> Configuration {
    Configuration { edge_frequency_khz: Some(KiloHertz::from_megahertz(1_400)), ..Configuration::at(Cut(7)) }
}

fn stages() -> Vec<StageTime> {
    vec![
        StageTime { stage: Stage::Head, place: Place::Edge, time_ms: ms(12.5), source: TimeSource::Emulated },
        StageTime {
            stage: Stage::Tail,
            place: Place::Cloud,
            time_ms: ms(3.25),
            source: TimeSource::Measured,
        },
    ]
}

fn energy() -> Vec<EnergyEntry> {
    vec![EnergyEntry {
        place: Place::Edge,
        source: EnergySource::Emulated,
        joules: Joules::new(0.0625).unwrap(),
    }]
}

fn top() -> Vec<Classification> {
    vec![Classification { index: 4, label: "ring".into(), probability: Share::new(0.75).unwrap() }]
}

fn signature(name: &str, shape: &[u64]) -> TensorSignature {
    TensorSignature { name: name.into(), data_type: DataType::F32, shape: shape.to_vec() }
}

pub fn tensor() -> Tensor<'static> {
    Tensor::from_f32(vec![1, 2, 2], &[0.0, 1.0, -1.0, 0.5]).unwrap()
}

pub fn infer_request() -> InferRequest<'static> {
    InferRequest {
        input: Input::Encoded { bytes: Cow::Borrowed(&[0xff, 0xd8, 0xff]) },
        qos: Some(qos()),
        policy: Some(PolicyName::Dynasplit),
    }
}

pub fn infer_reply() -> InferReply {
    InferReply {
        id: id(),
        model: model(),
        top: top(),
        latency_ms: ms(35.5),
        within_limit: true,
        limit_ms: ms(200.0),
        configuration: configuration(),
        fallback: Some(Fallback::FinishedAtHome),
        policy: PolicyName::Dynasplit,
        reason: None,
        front: Some(front_id()),
        stages: stages(),
        energy: energy(),
    }
}

pub fn plan_request() -> PlanRequest {
    PlanRequest { id: id(), model: model(), qos: qos(), policy: Some(PolicyName::Energy) }
}

pub fn plan() -> Plan {
    Plan {
        configuration: configuration(),
        edge: instance("edge-1"),
        cloud: Some(instance("cloud-1")),
        predicted_latency_ms: Some(ms(30.0)),
        predicted_energy_j: Some(Joules::new(0.5).unwrap()),
        policy: PolicyName::Energy,
        reason: PlanReason::LeastEnergyWithinLimit,
        front: Some(front_id()),
    }
}

pub fn execute_request() -> ExecuteRequest<'static> {
    ExecuteRequest {
        id: id(),
        model: model(),
        input: Input::Pixels { height: 1, width: 2, rgb: Cow::Borrowed(&[1, 2, 3, 4, 5, 6]) },
        configuration: configuration(),
        cloud: Some(instance("cloud-1")),
        profile: false,
    }
}

pub fn execute_request_with_profile() -> ExecuteRequest<'static> {
    ExecuteRequest { profile: true, ..execute_request() }
}

pub fn execute_reply() -> ExecuteReply<'static> {
    ExecuteReply {
        output: tensor(),
        top: top(),
        configuration: configuration(),
        fallback: Some(Fallback::HardwareAsItWas),
        cloud: Some(instance("cloud-1")),
        sent_bytes: ByteCount(4096),
        stages: stages(),
        energy: energy(),
        breakdown: vec![],
        profiles: Vec::new(),
    }
}

fn profile(place: Place, from: u16) -> LayerProfile {
    LayerProfile {
        place,
        source: TimeSource::Emulated,
        from: Cut(from),
        times_ms: vec![ms(1.5), Millis::ZERO],
    }
}

pub fn execute_reply_with_profiles() -> ExecuteReply<'static> {
    ExecuteReply { profiles: vec![profile(Place::Edge, 0), profile(Place::Cloud, 7)], ..execute_reply() }
}

pub fn tail_request() -> TailRequest<'static> {
    TailRequest {
        id: id(),
        model: model(),
        digest: digest(),
        cut: Cut(7),
        accelerator: Default::default(),
        profile: false,
        payload: TailPayload::Frontier(vec![tensor(), tensor()]),
    }
}

pub fn tail_request_with_input() -> TailRequest<'static> {
    TailRequest { cut: Cut(0), payload: TailPayload::Input(Input::Tensor(tensor())), ..tail_request() }
}

/// One tensor of each format; those that are not compressed have their exact length.
pub fn tail_request_encoded() -> TailRequest<'static> {
    use schemas::{Compression, ElementFormat};
    let half_a_step = Scale { scale: 0.5, zero_point: -3 };
    let channels = [half_a_step, Scale { scale: 0.25, zero_point: 127 }];
    let encoded = |elements, compression, shape: &[u64], scales: &[Scale], data: Vec<u8>| {
        EncodedTensor::new(Codec::new(elements, compression), shape.to_vec(), scales, data).unwrap()
    };
    let tensors = vec![
        encoded(ElementFormat::F32, Compression::None, &[1], &[], vec![0, 0, 128, 63]),
        encoded(ElementFormat::F16, Compression::Zstd, &[1, 400], &[], vec![0x28, 0xb5, 0x2f, 0xfd]),
        encoded(ElementFormat::I8, Compression::None, &[1, 2], &[half_a_step], vec![0x80, 0x7f]),
        encoded(ElementFormat::I8Channel, Compression::Lz4, &[1, 2, 4, 4], &channels, vec![0x1f, 0]),
    ];
    TailRequest { payload: TailPayload::Encoded(tensors), ..tail_request() }
}

pub fn execute_request_with_codec() -> ExecuteRequest<'static> {
    let codec = "i8-channel+zstd".parse().unwrap();
    ExecuteRequest { configuration: Configuration { codec, ..configuration() }, ..execute_request() }
}

pub fn tail_reply() -> TailReply<'static> {
    TailReply {
        output: tensor(),
        instance: instance("cloud-1"),
        stages: stages(),
        energy: energy(),
        breakdown: vec![],
        profile: None,
    }
}

pub fn tail_request_with_profile() -> TailRequest<'static> {
    TailRequest { profile: true, ..tail_request() }
}

pub fn tail_reply_with_profile() -> TailReply<'static> {
    TailReply { profile: Some(profile(Place::Cloud, 7)), ..tail_reply() }
}

pub fn fault() -> Fault {
    Fault {
        kind: FaultKind::Overloaded,
        message: "all 4 credits are in use".into(),
        retry_after_ms: Some(ms(50.0)),
        feasible: None,
    }
}

pub fn fault_infeasible() -> Fault {
    let feasible = Feasible { latency_ms: ms(31.5), energy_j: Some(Joules::new(0.25).unwrap()) };
    Fault { feasible: Some(feasible), ..Fault::new(FaultKind::Infeasible, "the best is 31.5 ms") }
}

pub fn infer_reply_with_reason() -> InferReply {
    InferReply { policy: PolicyName::Adaptive, reason: Some(PlanReason::HardwareHeld), ..infer_reply() }
}

pub fn plan_request_hard() -> PlanRequest {
    let energy_weight = Some(Share::new(0.5).unwrap());
    PlanRequest {
        qos: Qos { limit: LimitKind::Hard, energy_weight, ..qos() },
        policy: None,
        ..plan_request()
    }
}

pub fn plan_explored() -> Plan {
    Plan { policy: PolicyName::Adaptive, reason: PlanReason::Explored, ..plan() }
}

pub fn receipt_with_reason() -> Receipt {
    Receipt { reason: Some(PlanReason::SchedulerGone), ..receipt() }
}

pub fn model_description() -> ModelDescription {
    ModelDescription {
        name: model(),
        digest: digest(),
        input: signature("input", &[1, 3, 64, 64]),
        output: signature("logits", &[1, 10]),
        labels: vec!["circle".into(), "square".into()],
        cuts: vec![CutDescription {
            cut: Cut(1),
            name: "stem/conv".into(),
            frontier: vec![signature("stem/conv:0", &[1, 16, 32, 32])],
            bytes: ByteCount(65_536),
            macs_before: 442_368,
            macs_after: 9_000_000,
            parameters_before: 0,
            parameters_after: 0,
            dominated_by: None,
        }],
    }
}

fn hardware() -> HardwareReport {
    HardwareReport {
        node: node("pi"),
        emulates: Some("raspberry-pi-4".into()),
        cores: 4,
        frequencies_khz: vec![KiloHertz::from_megahertz(600), KiloHertz::from_megahertz(1_800)],
        frequency_khz: Some(KiloHertz::from_megahertz(600)),
        governor: Some("userspace".into()),
        slowdown: Some(12.0),
        power: Some(DevicePower {
            active_w: Watts::new(2.95).unwrap(),
            waiting_w: Watts::new(2.73).unwrap(),
            source: EnergySource::Emulated,
            idle_w: None,
            uncertainty_w: None,
        }),
        knobs: vec![KnobReport {
            knob: Knob::CpuFrequency,
            support: KnobSupport::Unsupported("no cpufreq here".into()),
            now: vec![],
        }],
        sensors: vec![SensorReport {
            name: "package-0".into(),
            kind: SensorKind::Rapl,
            reading: Err("permission denied".into()),
        }],
        meter: None,
        battery: None,
        leases: vec![],
    }
}

pub fn tune_request() -> TuneRequest {
    TuneRequest::SetFrequency(KiloHertz::from_megahertz(600))
}

pub fn tune_reply() -> TuneReply {
    TuneReply { hardware: hardware(), changed: true, took_ms: ms(0.5), writes: vec![] }
}

pub fn presence() -> Presence {
    Presence {
        service: ServiceKind::EdgeExecutor,
        instance: instance("edge-1"),
        node: node("pi"),
        version: "0.1.0".into(),
        state: ServiceState::Ready,
        credits: 3,
        capacity: 4,
        models: vec![ServedModel {
            name: model(),
            digest: digest(),
            last_cut: Cut(40),
            input: signature("input", &[1, 3, 64, 64]),
            output: signature("logits", &[1, 10]),
            accelerators: vec![schemas::Accelerator::Cpu],
        }],
        hardware: Some(hardware()),
        at: UnixMillis(1_795_000_000_000),
    }
}

pub fn measurement() -> Measurement {
    Measurement {
        configuration: configuration(),
        cut_name: "stage2/conv1".into(),
        latency: LatencySummary {
            mean_ms: ms(30.0),
            p50_ms: ms(29.0),
            p95_ms: ms(35.0),
            deviation_ms: ms(2.0),
        },
        stages: stages(),
        energy: energy(),
        accuracy: Some(Accuracy { share: Share::new(0.95).unwrap(), pictures: 20 }),
        sent_bytes: ByteCount(4096),
        samples: 20,
        uncertainty: None,
        provenance: None,
    }
}

/// As it is now: how sure it is, and where it comes from.
pub fn measurement_with_provenance() -> Measurement {
    let uncertainty = Uncertainty {
        quantile: Share::new(0.95).unwrap(),
        estimate_ms: ms(34.0),
        low_ms: ms(32.0),
        high_ms: ms(36.0),
        energy_deviation_j: Some(Joules::new(0.25).unwrap()),
        outliers: 1,
    };
    let hardware = HardwareReadBack {
        frequency_khz: Some(KiloHertz::from_megahertz(1_400)),
        governor: Some("userspace".into()),
        slowdown: Some(12.0),
        power: hardware().power,
    };
    let provenance = Provenance {
        first_at: UnixMillis(1_795_000_000_000),
        last_at: UnixMillis(1_795_000_001_000),
        software: "0.1.0".into(),
        edge: node("pi"),
        cloud: node("server"),
        hardware: Some(hardware),
        expected: Some(Expectation {
            latency_ms: ms(33.0),
            low_ms: ms(28.0),
            high_ms: ms(39.0),
            energy_j: Some(Joules::new(0.5).unwrap()),
        }),
        measured_again: true,
        suspicions: vec![
            Suspicion::HeadIgnoresClock,
            Suspicion::EnergyBelowIdle,
            Suspicion::StagesDoNotAddUp,
        ],
    };
    Measurement { uncertainty: Some(uncertainty), provenance: Some(provenance), ..measurement() }
}

pub fn front() -> Front {
    Front {
        id: front_id(),
        revision: 0,
        model: model(),
        digest: digest(),
        last_cut: Cut(40),
        edge: node("pi"),
        emulates: Some("raspberry-pi-4".into()),
        cloud: node("server"),
        points: vec![measurement()],
        all_cloud: measurement(),
        all_edge: measurement(),
        tied: Vec::new(),
        suspects: Vec::new(),
        withheld: Vec::new(),
        hardware_changes: HardwareChanges::default(),
        search: None,
        measured: 41,
        started_at: UnixMillis(1_795_000_000_000),
        ended_at: UnixMillis(1_795_000_060_000),
        software: "0.1.0".into(),
        content: None,
    }
}

pub fn front_with_withheld_codecs() -> Front {
    let withheld = |codec: &str, basis| WithheldCodec {
        cut: Cut(7),
        codec: codec.parse().unwrap(),
        loss: Some(CodecLoss { share: Share::new(0.25).unwrap(), basis, pictures: 20 }),
        greatest_loss: Share::new(0.01).unwrap(),
    };
    let unknown = WithheldCodec { loss: None, ..withheld("f16", LossBasis::Accuracy) };
    let known = [LossBasis::Accuracy, LossBasis::Agreement].map(|basis| withheld("i8+lz4", basis));
    Front { withheld: [known.as_slice(), &[unknown]].concat(), ..front() }
}

/// As it is now: counted, with ties and suspects, and how it was searched for.
pub fn front_of_a_search() -> Front {
    let search = SearchSummary {
        strategy: "greybox".into(),
        seed: 7,
        legal: 168,
        quantile: Share::new(0.95).unwrap(),
    };
    Front {
        revision: 3,
        points: vec![measurement_with_provenance()],
        tied: vec![measurement_with_provenance()],
        suspects: vec![measurement_with_provenance()],
        search: Some(search),
        ..front()
    }
}

pub fn front_with_hardware_changes() -> Front {
    let hardware_changes = HardwareChanges { clock_ms: Some(ms(2.5)), accelerator_ms: Some(ms(1_500.0)) };
    Front { hardware_changes, ..front_of_a_search() }
}

/// The digest was made by another program (JSON with sorted keys, fractions to seven digits, nothing that is null or empty; SHA-256); the tests of the crate
/// `broker` compare it with theirs.
pub fn front_with_content() -> Front {
    let content = "685b4eedad2aad761fc193e8c02a2057a6f111e8a9082c3204c0462bbaa8b381";
    Front { content: Some(Digest::new(content).unwrap()), ..front_of_a_search() }
}

pub fn optimize_request() -> OptimizeRequest<'static> {
    OptimizeRequest {
        model: model(),
        pictures: vec![LabelledPicture { bytes: Cow::Borrowed(&[0x89, 0x50]), class: Some(4) }],
        samples: 5,
        most_samples: None,
        search: SearchWishes::default(),
    }
}

pub fn optimize_request_with_wishes() -> OptimizeRequest<'static> {
    let search = SearchWishes {
        task: OptimizeTask::Refresh,
        strategy: Some("greybox".into()),
        seed: Some(7),
        budget: Some(Share::new(0.25).unwrap()),
        space: Some("[knobs]\ncut = [0, 4]\n".into()),
        edge: Some(node("pi")),
        cloud: Some(node("server")),
    };
    OptimizeRequest { most_samples: Some(20), search, ..optimize_request() }
}

pub fn optimize_progress() -> OptimizeProgress {
    OptimizeProgress { model: model(), done: 3, total: 41, last: measurement() }
}

pub fn optimize_reply() -> OptimizeReply {
    OptimizeReply { front: front(), measurements: vec![measurement()], resumed_samples: 0, notes: Vec::new() }
}

pub fn optimize_reply_with_notes() -> OptimizeReply {
    OptimizeReply { resumed_samples: 12, notes: vec!["jetson is another kind".into()], ..optimize_reply() }
}

pub fn model_description_with_pruning() -> ModelDescription {
    let mut description = model_description();
    description.cuts[0].dominated_by = Some(Cut(2));
    description
}

pub fn receipt() -> Receipt {
    Receipt {
        id: id(),
        model: model(),
        outcome: Outcome::Failed(FaultKind::DeadlineExceeded),
        qos: Some(qos()),
        latency_ms: ms(201.0),
        planned: Some(configuration()),
        predicted_latency_ms: Some(ms(30.0)),
        predicted_energy_j: Some(Joules::new(0.5).unwrap()),
        executed: Some(configuration()),
        fallback: Some(Fallback::FinishedAtHome),
        policy: Some(PolicyName::Latency),
        reason: None,
        front: Some(front_id()),
        edge: Some(instance("edge-1")),
        cloud: Some(instance("cloud-1")),
        sent_bytes: ByteCount(4096),
        stages: stages(),
        energy: energy(),
        breakdown: vec![],
        node: node("pi"),
        at: UnixMillis(1_795_000_000_000),
    }
}

fn breakdown() -> Vec<StageEnergy> {
    let joules = |value| Joules::new(value).unwrap();
    let head = StageEnergy {
        stage: Stage::Head,
        place: Place::Edge,
        source: EnergySource::Attributed,
        marginal_j: joules(0.25),
        idle_j: joules(0.5),
        uncertainty_j: Some(joules(0.0625)),
    };
    vec![head, StageEnergy { stage: Stage::Reply, uncertainty_j: None, ..head }]
}

pub fn execute_reply_with_breakdown() -> ExecuteReply<'static> {
    ExecuteReply { breakdown: breakdown(), ..execute_reply() }
}

pub fn tail_reply_with_breakdown() -> TailReply<'static> {
    TailReply { breakdown: breakdown(), ..tail_reply() }
}

pub fn receipt_with_breakdown() -> Receipt {
    Receipt { breakdown: breakdown(), ..receipt() }
}

fn settings() -> Vec<Setting> {
    let megahertz = KiloHertz::from_megahertz;
    vec![
        Setting::CpuFrequency(megahertz(600)),
        Setting::PolicyFrequency { policy: 4, clock_khz: megahertz(1_800) },
        Setting::OnlineCores(2.try_into().unwrap()),
        Setting::CpuQuota(CpuQuota::Unlimited),
        Setting::CpuQuota(CpuQuota::Millicores(1_500.try_into().unwrap())),
        Setting::UsbPower { device: "1-1.2".into(), on: false },
        Setting::GpuPowerLimit { gpu: 0, limit_w: Watts::new(250.0).unwrap() },
        Setting::GpuClock { gpu: 0, clock_khz: megahertz(1_200) },
    ]
}

pub fn tune_request_apply() -> TuneRequest {
    TuneRequest::Apply(TuneOrder {
        holder: instance("edge-1"),
        lease_ms: ms(30_000.0),
        settings: settings(),
        dry_run: true,
    })
}

pub fn tune_request_release() -> TuneRequest {
    TuneRequest::Release(instance("edge-1"))
}

pub fn tune_reply_with_lease() -> TuneReply {
    let power = DevicePower {
        active_w: Watts::new(9.0).unwrap(),
        waiting_w: Watts::new(5.0).unwrap(),
        source: EnergySource::Modelled,
        idle_w: Some(Watts::new(4.5).unwrap()),
        uncertainty_w: Some(Watts::new(0.25).unwrap()),
    };
    let knobs = [
        Knob::CpuFrequency,
        Knob::OnlineCores,
        Knob::CpuQuota,
        Knob::UsbPower,
        Knob::GpuPowerLimit,
        Knob::GpuClock,
    ]
    .map(|knob| KnobReport { knob, support: KnobSupport::Supported, now: settings() });
    let meter = MeterReading {
        name: "rapl package-0 + dram".into(),
        joules: Joules::new(123.5).unwrap(),
        span_ms: ms(60_000.0),
        resolution_ms: ms(250.0),
        relative_error: Share::new(0.05).unwrap(),
    };
    let battery = BatteryReport { level: Share::new(0.75).unwrap(), charging: false };
    let lease =
        LeaseReport { knob: Knob::CpuFrequency, holder: instance("edge-1"), remaining_ms: ms(29_000.0) };
    let hardware = HardwareReport {
        power: Some(power),
        knobs: knobs.to_vec(),
        meter: Some(meter),
        battery: Some(battery),
        leases: vec![lease],
        ..hardware()
    };
    let write =
        SettingWrite { file: "cpu.max".into(), from: "max 100000".into(), to: "150000 100000".into() };
    TuneReply { hardware, changed: true, took_ms: ms(0.5), writes: vec![write] }
}

fn link() -> LinkState {
    LinkState { bandwidth_mbit: Bandwidth::new(40.0).unwrap(), rtt_ms: ms(20.5) }
}

pub fn link_request() -> LinkRequest {
    LinkRequest { link: Some(link()), hold_ms: ms(5_000.0) }
}

pub fn link_reply() -> LinkReply {
    LinkReply { link: link(), held_ms: Some(ms(5_000.0)) }
}

pub fn policy_choice() -> PolicyChoice {
    PolicyChoice { policy: PolicyName::Adaptive, shadow: Some(PolicyName::Dynasplit) }
}

pub fn scheduler_report() -> SchedulerReport {
    let came_out = CameOut {
        receipts: 8,
        within: 7,
        shadow_within: 6,
        latency_ms: -12.5,
        energy_receipts: 5,
        energy_j: -0.25,
    };
    SchedulerReport {
        scheduler: instance("scheduler1"),
        choice: policy_choice(),
        regret: Some(Regret {
            asked: 12,
            agreed: 7,
            refused: 1,
            shadow_refused: 2,
            compared: 9,
            within: 8,
            shadow_within: 6,
            latency_ms: -33.5,
            energy_compared: 9,
            energy_j: 0.75,
            came_out,
        }),
        edges: vec![EdgeOutlook {
            edge: instance("edge1"),
            model: model(),
            front: front_id(),
            link_base_ms: ms(2.5),
            link_mbit: Some(93.5),
            link_age_ms: Some(ms(140.0)),
            clock_khz: Some(KiloHertz::from_megahertz(1_400)),
        }],
        samples: Vec::new(),
        at: UnixMillis(1_790_000_000_000),
    }
}

pub fn scheduler_report_with_samples() -> SchedulerReport {
    SchedulerReport { samples: metrics_snapshot().samples, ..scheduler_report() }
}

pub fn metrics_snapshot() -> MetricsSnapshot {
    let sample = |series: &str, value| Sample { series: series.to_owned(), value };
    MetricsSnapshot {
        samples: vec![
            sample("splinter_gateway_requests_total{model=\"m\",outcome=\"within\"}", 12.0),
            sample(
                "splinter_gateway_energy_joules_total{model=\"m\",place=\"edge\",source=\"emulated\"}",
                3.25,
            ),
        ],
        at: UnixMillis(1_790_000_000_000),
    }
}
