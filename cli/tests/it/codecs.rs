//! Codecs over a real broker, between real executors; and what no honest edge would send.

use std::time::Duration;

use broker::subjects;
use demo_network::pictures;
use models::{Accelerator, Bundle, Network, codec};
use schemas::{
    Codec, Compression, Cut, Digest, ElementFormat, EncodedTensor, ExecuteReply, FaultKind, RequestId, Scale,
    Stage, TailPayload, TailReply, TailRequest, Tensor,
};

use crate::client::Client;
use crate::system::{Up, free_port, splinter, succeed, wait_for};

const CUT: Cut = Cut(4);

/// Greatest difference of a logit from that of the exact frontier. It was 0.0002 for `f16`, 0.0016 for `i8-channel` and
/// 0.0035 for `i8`; a codec that mixes up anything is off by units.
const TOLERANCE: f32 = 0.05;

/// Longer than any call here takes.
const WITHIN: Duration = Duration::from_secs(20);

fn execute(client: &Client, cut: Cut, codec: Codec) -> Result<ExecuteReply<'static>, String> {
    client.execute((cut, codec), &pictures::draw(1, 3).to_png(), WITHIN)
}

/// A tail of the shipped network; the fault when it is refused.
fn tail(
    client: &Client,
    digest: &Digest,
    payload: TailPayload<'_>,
) -> Result<Tensor<'static>, schemas::Fault> {
    let id = RequestId::fresh();
    let request = TailRequest {
        id,
        model: client.model.clone(),
        digest: digest.clone(),
        cut: CUT,
        accelerator: Default::default(),
        profile: false,
        payload,
    };
    let answer = client
        .call(subjects::execute_cloud(&client.model), id, WITHIN, &request)
        .map_err(|error| error.to_fault())?;
    let reply: TailReply<'_> = schemas::decode(&answer.body).unwrap();
    Ok(reply.output.into_owned())
}

struct System {
    client: Client,
    bundle: Bundle,
    network: Network,
    up: Up,
    _data: tempfile::TempDir,
}

/// Everything in one process, with the shipped network.
fn start() -> System {
    let (port, data) = (free_port().to_string(), tempfile::tempdir().unwrap());
    let data_dir = data.path().to_string_lossy().into_owned();
    let up = Up::start(&["--broker-port", &port, "--data-dir", &data_dir, "--http", "127.0.0.1:0"], &[]);
    let broker = format!("nats://127.0.0.1:{port}");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/demo/bundle");
    succeed(splinter().args(["model", "add", "--broker", &broker, folder]));
    let client = Client::connect(&broker, "codecs-test");
    wait_for("the first split", || {
        let reply = execute(&client, CUT, Codec::F32)?;
        reply.fallback.map_or(Ok(()), |fallback| Err(format!("{fallback:?}")))
    });
    let files = demo_network::bundle();
    let bundle = Bundle::from_files(files.model_toml, files.onnx.to_vec(), Some(files.labels)).unwrap();
    let network = Network::load(&bundle, Accelerator::Cpu).unwrap();
    System { client, bundle, network, up, _data: data }
}

#[test]
fn every_codec_crosses_and_hostile_frontiers_are_refused() {
    let System { client, bundle, network, mut up, _data } = start();
    every_codec_crosses(&client, &network);
    hostile_frontiers_are_refused(&client, &bundle, &network);
    assert!(up.lives(), "hostile bytes ended the executors");
    assert!(execute(&client, CUT, Codec::F32).unwrap().fallback.is_none(), "tails are run as before");
    assert!(up.terminate().success());
}

fn every_codec_crosses(client: &Client, network: &Network) {
    let exact = execute(client, CUT, Codec::F32).unwrap();
    for codec in Codec::ALL {
        let reply = execute(client, CUT, codec).unwrap();
        assert_eq!((reply.fallback, reply.configuration.codec, reply.configuration.cut), (None, codec, CUT));
        assert!(reply.cloud.is_some());
        for stage in [Stage::Encode, Stage::Decode] {
            assert_eq!(reply.stages.iter().filter(|one| one.stage == stage).count(), 1, "{codec}: {stage:?}");
        }
        let (ours, theirs) = (reply.output.to_f32().unwrap(), exact.output.to_f32().unwrap());
        let difference = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        println!("{codec}: {}, a logit is off by {difference}", reply.sent_bytes);
        let bound = if codec.is_exact() { 0.0 } else { TOLERANCE };
        assert!(difference <= bound, "{codec}: a logit is off by {difference}");
        assert_eq!(reply.top[0].index, exact.top[0].index, "{codec}");
        let expected: u64 = network
            .frontier(CUT)
            .unwrap()
            .iter()
            .map(|tensor| codec.elements.bytes(&tensor.shape).unwrap())
            .sum();
        // The message around the frontier has some hundred bytes; compression only takes away.
        let sent = reply.sent_bytes.0;
        assert!(sent < expected + 400, "{codec}: {sent} bytes for {expected}");
        if codec.compression == Compression::None {
            assert!(sent > expected, "{codec}: {sent} bytes for {expected}");
        }
    }
    for cut in [Cut::ALL_CLOUD, network.last_cut()] {
        let reply = execute(client, cut, "i8+zstd".parse().unwrap()).unwrap();
        assert_eq!((reply.configuration.codec, reply.configuration.cut), (Codec::F32, cut));
        assert_eq!(reply.output, exact.output, "no codec is used at cut {cut}");
    }
}

fn hostile_frontiers_are_refused(client: &Client, bundle: &Bundle, network: &Network) {
    let signatures = network.frontier(CUT).unwrap();
    let zeros: Vec<Tensor<'_>> = signatures
        .iter()
        .map(|tensor| {
            let elements = usize::try_from(tensor.shape.iter().product::<u64>()).unwrap();
            Tensor::from_f32(tensor.shape.clone(), &vec![0.0; elements]).unwrap()
        })
        .collect();
    let expected = network.tail(CUT, &zeros).unwrap();
    let digest = bundle.digest();
    // As it is, as the first version sent it, and encoded.
    let plain = TailPayload::Frontier(zeros.iter().map(Tensor::as_borrowed).collect());
    assert_eq!(tail(client, digest, plain).unwrap(), expected);
    let zstd = Codec::new(ElementFormat::I8Channel, Compression::Zstd);
    let encoded = || codec::encode(zstd, &zeros).unwrap();
    assert_eq!(tail(client, digest, TailPayload::Encoded(encoded())).unwrap(), expected);

    let bomb = zstd::bulk::compress(&vec![0; 1 << 28], 19).unwrap();
    let with = |shape: Vec<u64>, scales: &[Scale], data: Vec<u8>| {
        let mut frontier = encoded();
        frontier[0] = EncodedTensor::new(zstd, shape, scales, data).unwrap();
        frontier
    };
    let (shape, scales): (Vec<u64>, Vec<Scale>) =
        (encoded()[0].shape().to_vec(), encoded()[0].scales().collect());
    let truncated = encoded()[0].data()[..4].to_vec();
    let hostile = [
        ("a bomb", with(shape.clone(), &scales, bomb.clone())),
        ("a bomb under its own shape", with(vec![1 << 28], &scales[..1], bomb)),
        ("truncated data", with(shape.clone(), &scales, truncated)),
        ("no data", with(shape, &scales, Vec::new())),
        ("no tensors", Vec::new()),
        ("one tensor too many", [encoded(), encoded()].concat()),
    ];
    for (name, frontier) in hostile {
        let fault = tail(client, digest, TailPayload::Encoded(frontier)).unwrap_err();
        assert_eq!(fault.kind, FaultKind::BadRequest, "{name}: {}", fault.message);
    }
}
