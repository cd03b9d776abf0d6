use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use proptest::prelude::{any, prop, proptest};
use schemas::{
    Classification, Configuration, Cut, DataType, Digest, EnergyEntry, EnergySource, FaultKind, InferReply,
    Input, Joules, LimitKind, Millis, ModelName, Place, PolicyName, RequestId, ServedModel, Share, Tensor,
    TensorSignature,
};
use serde_json::{Value, json};

use super::{OutputForm, Request, read, reply};

fn served() -> ServedModel {
    let signature = |name: &str, shape: &[u64]| TensorSignature {
        name: name.into(),
        data_type: DataType::F32,
        shape: shape.to_vec(),
    };
    ServedModel {
        name: ModelName::new("tiny").unwrap(),
        digest: Digest::from_bytes([1; 32]),
        last_cut: Cut(4),
        input: signature("pixel_values", &[1, 1, 2, 2]),
        output: signature("logits", &[1, 2]),
        accelerators: vec![schemas::Accelerator::Cpu],
    }
}

fn read_json(body: &Value) -> Result<Request, schemas::Fault> {
    read(body.to_string().as_bytes(), None, &served())
}

/// JSON, then bytes.
fn read_binary(json: &Value, bytes: &[u8]) -> Result<Request, schemas::Fault> {
    let mut body = json.to_string().into_bytes();
    let length = body.len();
    body.extend_from_slice(bytes);
    read(&body, Some(length), &served())
}

fn input(name: &str, datatype: &str, shape: &[u64], data: Value) -> Value {
    json!({ "inputs": [{ "name": name, "datatype": datatype, "shape": shape, "data": data }] })
}

#[test]
fn tensors_are_read_flat_and_nested() {
    let expected = Input::Tensor(Tensor::from_f32(vec![1, 1, 2, 2], &[1.0, -2.5, 3.0, 0.0]).unwrap());
    for data in [json!([1, -2.5, 3.0, 0]), json!([[[[1, -2.5], [3.0, 0]]]])] {
        let request = read_json(&input("pixel_values", "FP32", &[1, 1, 2, 2], data)).unwrap();
        assert_eq!(request.input, expected);
        assert_eq!(request.output, OutputForm::Json);
    }
}

#[test]
fn pictures_are_read_as_pixels_and_as_files() {
    let pixels = Input::Pixels { height: 1, width: 2, rgb: vec![1, 2, 3, 4, 5, 255].into() };
    let nested = json!([[[[1, 2, 3], [4, 5, 255]]]]);
    let flat = json!([1, 2, 3, 4, 5, 255]);
    assert_eq!(read_json(&input("image", "UINT8", &[1, 1, 2, 3], nested)).unwrap().input, pixels);
    assert_eq!(read_json(&input("image", "UINT8", &[1, 2, 3], flat)).unwrap().input, pixels);

    let file = Input::Encoded { bytes: b"\xFF\xD8file".to_vec().into() };
    let text = BASE64.encode(b"\xFF\xD8file");
    assert_eq!(read_json(&input("image", "BYTES", &[1], json!([text]))).unwrap().input, file);
    assert_eq!(read_json(&input("image", "BYTES", &[1, 1], json!(text))).unwrap().input, file);
}

#[test]
fn binary_tensors_follow_the_json() {
    let head = |name: &str, datatype: &str, shape: &[u64], size: usize| {
        json!({
            "id": "42",
            "inputs": [{ "name": name, "datatype": datatype, "shape": shape,
                         "parameters": { "binary_data_size": size } }],
            "outputs": [{ "name": "logits", "parameters": { "binary_data": true } }],
        })
    };
    let values: Vec<u8> = [1.0_f32, 2.0, 3.0, 4.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    let request = read_binary(&head("pixel_values", "FP32", &[1, 1, 2, 2], 16), &values).unwrap();
    assert_eq!(request.input, Input::Tensor(Tensor::new(DataType::F32, vec![1, 1, 2, 2], values).unwrap()));
    assert_eq!((request.id.as_deref(), request.output), (Some("42"), OutputForm::Binary));

    let rgb = [9_u8; 6];
    let request = read_binary(&head("image", "UINT8", &[1, 1, 2, 3], 6), &rgb).unwrap();
    assert_eq!(request.input, Input::Pixels { height: 1, width: 2, rgb: rgb.to_vec().into() });

    let request = read_binary(&head("image", "BYTES", &[1], 8), b"\x04\0\0\0file").unwrap();
    assert_eq!(request.input, Input::Encoded { bytes: b"file".to_vec().into() });
}

#[test]
fn parameters_are_the_terms() {
    let mut body = input("image", "BYTES", &[1], json!(["AAAA"]));
    body["parameters"] = json!({
        "latency_ms": 150, "policy": "cloud", "deadline": 1_800_000_000_000_u64, "limit": "hard", "least_cut": 3,
        "binary_data_output": true, "priority": 3,
    });
    let request = read_json(&body).unwrap();
    let qos = request.asked.qos;
    assert_eq!(qos.latency_ms, Some(Millis::new(150.0).unwrap()));
    assert_eq!((qos.limit, qos.least_cut), (Some(LimitKind::Hard), Some(Cut(3))));
    assert_eq!(request.asked.policy, Some(PolicyName::Cloud));
    assert_eq!(request.asked.deadline.unwrap().0, 1_800_000_000_000);
    assert_eq!(request.output, OutputForm::Binary);
}

#[test]
fn wrong_requests_are_refused_with_the_reason() {
    let tensor = |data: Value| input("pixel_values", "FP32", &[1, 1, 2, 2], data);
    let with = |key: &str, value: Value| {
        let mut body = tensor(json!([1, 2, 3, 4]));
        body[key] = value;
        body
    };
    let cases = [
        (json!([]), "not an inference request"),
        (json!({ "inputs": [] }), "exactly one input"),
        (input("image", "FP32", &[1], json!([1])), "send FP32 \"pixel_values\""),
        (input("pixel_values", "FP64", &[1], json!([1])), "no input"),
        (tensor(json!([1, 2, 3])), "3 numbers where the shape says 4"),
        (tensor(json!([1, 2, 3, 4, 5])), "more numbers than the 4"),
        (tensor(json!([1, 2, 3, "4"])), "a number or an array"),
        (tensor(json!([1, 2, 3, 1e300])), "not a value of the datatype"),
        (tensor(json!({})), "a number or an array"),
        (input("pixel_values", "FP32", &[u64::MAX, 2], json!([1])), "overflows"),
        (input("image", "UINT8", &[1, 1, 1, 3], json!([1, 2, 256])), "not a value of the datatype"),
        (input("image", "UINT8", &[1, 1, 1, 3], json!([1, 2, 2.5])), "not a value of the datatype"),
        (input("image", "UINT8", &[2, 1, 1, 3], json!([1])), "[1, H, W, 3]"),
        (input("image", "UINT8", &[1, 1 << 40, 1, 3], json!([1])), "too many"),
        (input("image", "BYTES", &[2], json!(["AA==", "AA=="])), "one element"),
        (input("image", "BYTES", &[1], json!(["%%"])), "not base64"),
        (input("image", "BYTES", &[1], json!([7])), "one text"),
        (with("outputs", json!([{ "name": "labels" }])), "ask for \"logits\""),
        (with("parameters", json!({ "policy": "best" })), "use adaptive, dynasplit"),
        (with("parameters", json!({ "latency_ms": "fast" })), "latency_ms"),
        (with("parameters", json!({ "deadline": 1.5 })), "deadline"),
        (with("parameters", json!({ "binary_data_output": 1 })), "neither true nor false"),
        (with("id", json!("x".repeat(300))), "longer than 256"),
    ];
    for (body, expected) in cases {
        let fault = read_json(&body).unwrap_err();
        assert_eq!(fault.kind, FaultKind::BadRequest);
        assert!(fault.message.contains(expected), "{body}: {}", fault.message);
    }
}

#[test]
fn wrong_binary_requests_are_refused_with_the_reason() {
    let head = |shape: &[u64], size: u64| {
        json!({ "inputs": [{ "name": "image", "datatype": if shape.len() == 1 { "BYTES" } else { "UINT8" },
                             "shape": shape, "parameters": { "binary_data_size": size } }] })
    };
    let cases: [(Value, &[u8], &str); 5] = [
        (head(&[1, 1, 1, 3], 3), b"1234", "4 bytes follow"),
        (head(&[1, 1, 1, 3], 4), b"1234", "is 3 bytes, 4 arrived"),
        (head(&[1], 3), b"123", "begins with its length"),
        (head(&[1], 8), b"\xFF\xFF\xFF\xFFfile", "4294967295 bytes long"),
        (input("image", "BYTES", &[1], json!(["AA=="])), b"more", "belong to no input"),
    ];
    for (json, bytes, expected) in cases {
        let fault = read_binary(&json, bytes).unwrap_err();
        assert!(fault.message.contains(expected), "{json}: {}", fault.message);
    }
    let fault = read(b"{}", Some(3), &served()).unwrap_err();
    assert!(fault.message.contains("said to be 3 bytes long"), "{}", fault.message);
}

fn answer() -> InferReply {
    InferReply {
        id: RequestId::fresh(),
        model: ModelName::new("tiny").unwrap(),
        top: vec![Classification { index: 1, label: "cat".into(), probability: Share::new(0.75).unwrap() }],
        latency_ms: Millis::new(12.5).unwrap(),
        within_limit: true,
        limit_ms: Millis::new(100.0).unwrap(),
        configuration: Configuration::at(Cut(2)),
        fallback: None,
        policy: PolicyName::Dynasplit,
        reason: None,
        front: None,
        stages: Vec::new(),
        energy: vec![EnergyEntry {
            place: Place::Edge,
            source: EnergySource::Emulated,
            joules: Joules::new(0.5).unwrap(),
        }],
    }
}

#[test]
fn answers_are_json_or_json_and_bytes() {
    let answer = answer();
    let output = Tensor::from_f32(vec![1, 2], &[0.25, 1.5]).unwrap();
    let written = reply(Some("7"), &answer, "logits", &output, OutputForm::Json).unwrap();
    let json: Value = serde_json::from_slice(&written.body).unwrap();
    assert_eq!(written.header_length, None);
    assert_eq!(json["id"], "7");
    assert_eq!(json["model_name"], "tiny");
    assert_eq!(
        json["outputs"],
        json!([{ "name": "logits", "datatype": "FP32", "shape": [1, 2], "data": [0.25, 1.5] }])
    );
    assert_eq!(json["parameters"]["label"], "cat");
    assert_eq!(json["parameters"]["energy_j"], 0.5);
    assert_eq!(json["parameters"]["energy_source"], "emulated");

    let written = reply(None, &answer, "logits", &output, OutputForm::Binary).unwrap();
    let (json, bytes) = written.body.split_at(written.header_length.unwrap());
    let json: Value = serde_json::from_slice(json).unwrap();
    assert_eq!(json["id"], answer.id.to_string());
    assert_eq!(json["outputs"][0]["parameters"]["binary_data_size"], 8);
    assert_eq!(json["outputs"][0].get("data"), None);
    assert_eq!(bytes, output.data());
}

proptest! {
    #[test]
    fn no_bytes_panic(body in prop::collection::vec(any::<u8>(), 0..300), length in any::<Option<u16>>()) {
        if let Err(fault) = read(&body, length.map(usize::from), &served()) {
            assert_eq!(fault.kind, FaultKind::BadRequest);
        }
    }

    #[test]
    fn nesting_is_no_way_around_the_shape(depth in 0_usize..400) {
        let data = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        let body = format!(
            r#"{{"inputs":[{{"name":"pixel_values","datatype":"FP32","shape":[1],"data":{data}}}]}}"#
        );
        let outcome = read(body.as_bytes(), None, &served());
        assert!(outcome.is_ok() || outcome.unwrap_err().kind == FaultKind::BadRequest);
    }
}
