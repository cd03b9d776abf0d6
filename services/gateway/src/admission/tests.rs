use std::borrow::Cow;

use proptest::prelude::{any, prop_assert, proptest};
use schemas::{
    Cut, DataType, Digest, FaultKind, Input, InstanceId, Millis, ModelName, NodeId, Presence, Qos,
    ServedModel, ServiceKind, ServiceState, Tensor, TensorSignature, UnixMillis,
};

use super::{Asked, Limits, check_input, find_model, terms};

const ARRIVED: UnixMillis = UnixMillis(1_800_000_000_000);

fn limits() -> Limits {
    Limits {
        default_latency: Millis::saturating(1_000.0),
        greatest_latency: Millis::saturating(60_000.0),
        greatest_pixels: 1_000,
    }
}

fn latency(ms: f64) -> Asked {
    Asked { qos: Qos::within(Millis::new(ms).unwrap()).into(), ..Asked::default() }
}

fn served(name: &str) -> ServedModel {
    let signature = |name: &str, shape: &[u64]| TensorSignature {
        name: name.into(),
        data_type: DataType::F32,
        shape: shape.to_vec(),
    };
    ServedModel {
        name: ModelName::new(name).unwrap(),
        digest: Digest::from_bytes([7; 32]),
        last_cut: Cut(5),
        input: signature("pixel_values", &[1, 3, 2, 2]),
        output: signature("logits", &[1, 10]),
        accelerators: vec![schemas::Accelerator::Cpu],
    }
}

fn presence(service: ServiceKind, models: &[&str]) -> Presence {
    Presence {
        service,
        instance: InstanceId::fresh(),
        node: NodeId::new("pi").unwrap(),
        version: "0.1.0".into(),
        state: ServiceState::Ready,
        credits: 1,
        capacity: 1,
        models: models.iter().map(|name| served(name)).collect(),
        hardware: None,
        at: ARRIVED,
    }
}

#[test]
fn deadlines() {
    struct Case {
        name: &'static str,
        asked: Asked,
        /// Milliseconds after the arrival.
        deadline: u64,
    }
    let at = |offset: u64| Some(UnixMillis(ARRIVED.0 + offset));
    let cases = [
        Case { name: "default limit", asked: Asked::default(), deadline: 5_000 },
        Case { name: "a short limit", asked: latency(20.0), deadline: 5_000 },
        Case { name: "four limits", asked: latency(2_000.0), deadline: 8_000 },
        Case { name: "at most a minute", asked: latency(60_000.0), deadline: 60_000 },
        Case { name: "its own", asked: Asked { deadline: at(70), ..latency(2_000.0) }, deadline: 70 },
        Case {
            name: "its own, too far",
            asked: Asked { deadline: at(3_600_000), ..latency(20.0) },
            deadline: 60_000,
        },
    ];
    for case in cases {
        let terms = terms(&case.asked, &limits(), ARRIVED).unwrap();
        assert_eq!(terms.deadline.0 - ARRIVED.0, case.deadline, "{}", case.name);
    }
}

#[test]
fn terms_out_of_range_are_refused() {
    let past = Asked { deadline: Some(UnixMillis(ARRIVED.0 - 250)), ..Asked::default() };
    let cases = [
        (latency(0.0), FaultKind::BadRequest, "at most 60000 ms"),
        (latency(60_000.5), FaultKind::BadRequest, "at most 60000 ms"),
        (latency(f64::MAX), FaultKind::BadRequest, "at most 60000 ms"),
        (past, FaultKind::DeadlineExceeded, "passed 250 ms before"),
    ];
    for (asked, kind, text) in cases {
        let fault = terms(&asked, &limits(), ARRIVED).unwrap_err();
        assert_eq!(fault.kind, kind);
        assert!(fault.message.contains(text), "{}", fault.message);
    }
}

#[test]
fn inputs() {
    let tensor = |data_type, shape: &[u64]| {
        let bytes = schemas::v1::tensor::byte_length(data_type, shape).unwrap();
        Input::Tensor(
            Tensor::new(data_type, shape.to_vec(), vec![0; usize::try_from(bytes).unwrap()]).unwrap(),
        )
    };
    let pixels = |height, width, bytes| Input::Pixels { height, width, rgb: Cow::Owned(vec![0; bytes]) };
    let accepted = [tensor(DataType::F32, &[1, 3, 2, 2]), pixels(10, 100, 3_000)];
    for input in accepted {
        check_input(&input, &served("m"), &limits()).unwrap();
    }
    let refused = [
        (tensor(DataType::F32, &[1, 3, 2, 3]), "[1, 3, 2, 3]"),
        (tensor(DataType::F32, &[2, 3, 2, 2]), "takes F32 [1, 3, 2, 2] as \"pixel_values\""),
        (tensor(DataType::U8, &[1, 3, 2, 2]), "is U8"),
        (pixels(10, 101, 3_030), "the limit is 1000 pixels"),
        (pixels(u32::MAX, u32::MAX, 0), "the limit is 1000 pixels"),
        (pixels(10, 10, 299), "300 bytes, 299 arrived"),
        (pixels(0, 10, 0), "no pixels"),
        (Input::Encoded { bytes: Cow::Borrowed(b"not a picture") }, "not a picture"),
    ];
    for (input, text) in refused {
        let fault = check_input(&input, &served("m"), &limits()).unwrap_err();
        assert_eq!(fault.kind, FaultKind::BadRequest);
        assert!(fault.message.contains(text), "{}", fault.message);
    }
}

#[test]
fn models_are_known_from_presence() {
    let edge = presence(ServiceKind::EdgeExecutor, &["resnet", "mobilenet"]);
    let other_edge = presence(ServiceKind::EdgeExecutor, &["mobilenet"]);
    let cloud = presence(ServiceKind::CloudExecutor, &["resnet", "vgg"]);
    let name = |text: &str| ModelName::new(text).unwrap();
    let all = [edge, other_edge, cloud.clone()];
    assert_eq!(find_model(&all, &name("resnet")).unwrap().name, name("resnet"));

    let unknown = find_model(&all, &name("lenet")).unwrap_err();
    assert_eq!(unknown.kind, FaultKind::UnknownModel);
    assert!(unknown.message.ends_with("use mobilenet, resnet"), "{}", unknown.message);

    let only_cloud = find_model(&all, &name("vgg")).unwrap_err();
    assert_eq!(only_cloud.kind, FaultKind::Unavailable);
    let nobody = find_model(&[cloud], &name("lenet")).unwrap_err();
    assert_eq!(nobody.kind, FaultKind::Unavailable);
    assert!(nobody.retry_after_ms.is_some());
}

proptest! {
    #[test]
    fn an_admitted_deadline_is_ahead_and_within_a_minute(deadline in any::<Option<u64>>(), ms in 0.0_f64..1e6) {
        let asked = Asked { deadline: deadline.map(UnixMillis), ..latency(ms) };
        if let Ok(terms) = terms(&asked, &limits(), ARRIVED) {
            prop_assert!(terms.deadline > ARRIVED);
            prop_assert!(terms.deadline.0 <= ARRIVED.0 + 60_000);
            prop_assert!(terms.qos.latency_ms <= limits().greatest_latency);
        }
    }
}
