//! The measuring.

use std::borrow::Cow;
use std::fs;
use std::path::Path;
use std::time::Instant;

use models::codec::{decode, encode};
use models::{Network, classify, preprocess};
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};
use schemas::{
    Codec, Compression, Cut, CutDescription, ElementFormat, EncodedTensor, Input, Scale, Tensor,
    TensorSignature,
};

use crate::shared;

/// Pictures whose frontiers are timed and weighed.
const TIMED_PICTURES: usize = 5;
/// Times of one codec on one of them.
const REPETITIONS: usize = 5;
/// Levels of Zstandard that are compared.
pub const LEVELS: [i32; 6] = [-5, -1, 1, 3, 6, 9];
/// Every so many cuts the levels are compared.
const LEVEL_STRIDE: usize = 8;

/// Right answers and answers as without a codec, as shares of the pictures.
#[derive(Debug, Clone, Copy)]
pub struct AnswerFigures {
    pub accuracy: f64,
    pub agreement: f64,
}

/// One codec at one cut: means over pictures of the bytes, medians of the times.
#[derive(Debug)]
pub struct CodecFigures {
    pub codec: Codec,
    pub bytes: f64,
    pub encode_ms: f64,
    pub decode_ms: f64,
}

/// One cut.
#[derive(Debug)]
pub struct CutFigures {
    pub cut: Cut,
    pub name: String,
    pub shapes: Vec<Vec<u64>>,
    pub exact_bytes: f64,
    pub codecs: Vec<CodecFigures>,
    answers: Vec<(ElementFormat, AnswerFigures)>,
}

impl CutFigures {
    /// Compression changes no answer: they were measured of the elements alone.
    pub fn answers_of(&self, codec: Codec) -> AnswerFigures {
        let found = self.answers.iter().find(|(elements, _)| *elements == codec.elements);
        found.expect("every format was measured").1
    }

    pub fn of(&self, codec: Codec) -> &CodecFigures {
        self.codecs.iter().find(|one| one.codec == codec).expect("every codec was measured")
    }
}

/// Bytes and time of one level of Zstandard on one format of elements, summed over some cuts.
#[derive(Debug)]
pub struct LevelFigures {
    pub elements: ElementFormat,
    pub level: i32,
    pub raw_bytes: usize,
    pub bytes: usize,
    pub compress_ms: f64,
    pub decompress_ms: f64,
}

/// One network.
#[derive(Debug)]
pub struct NetworkFigures {
    pub name: String,
    pub pictures: usize,
    pub folder: String,
    pub exact: AnswerFigures,
    pub cuts: Vec<CutFigures>,
    pub levels: Vec<LevelFigures>,
}

/// A network's pictures as tensors, with the right class and the exact network's.
struct Pictures {
    inputs: Vec<Tensor<'static>>,
    right: Vec<u32>,
    exact: Vec<u32>,
}

impl Pictures {
    fn score(&self, classes: &[u32]) -> AnswerFigures {
        let share = |wanted: &[u32]| {
            let equal = classes.iter().zip(wanted).filter(|(class, wanted)| class == wanted).count();
            equal as f64 / classes.len() as f64
        };
        AnswerFigures { accuracy: share(&self.right), agreement: share(&self.exact) }
    }
}

/// Measures every cut between the two ends.
pub fn measure(shared: &Path, name: &str, folder: &str) -> NetworkFigures {
    let (bundle, network) = shared::network(shared, name);
    let (inputs, right): (Vec<Tensor<'static>>, Vec<u32>) = shared::pictures(shared, folder)
        .into_iter()
        .map(|(path, class)| {
            let bytes = Cow::Owned(fs::read(path).unwrap());
            (preprocess(bundle.preprocessing(), &Input::Encoded { bytes }).unwrap(), class)
        })
        .unzip();
    let exact = inputs.par_iter().map(|input| best(&network.run(input).unwrap())).collect();
    let pictures = Pictures { inputs, right, exact };
    let description = network.describe(bundle.name(), &[]);
    let between = &description.cuts[1..description.cuts.len() - 1];
    let cuts = between.iter().map(|cut| {
        eprintln!("{name}: cut {} of {}", cut.cut, network.last_cut());
        measure_cut(&network, cut, &pictures)
    });
    NetworkFigures {
        name: name.to_owned(),
        pictures: pictures.inputs.len(),
        folder: folder.to_owned(),
        exact: pictures.score(&pictures.exact),
        cuts: cuts.collect(),
        levels: measure_levels(&network, between, &pictures),
    }
}

fn best(output: &Tensor<'_>) -> u32 {
    classify(output, &[]).unwrap()[0].index
}

fn measure_cut(network: &Network, cut: &CutDescription, pictures: &Pictures) -> CutFigures {
    let timed = &pictures.inputs[..TIMED_PICTURES];
    let frontiers: Vec<Vec<Tensor<'_>>> =
        timed.iter().map(|input| network.head(cut.cut, input).unwrap()).collect();
    CutFigures {
        cut: cut.cut,
        name: cut.name.clone(),
        shapes: cut.frontier.iter().map(|tensor| tensor.shape.clone()).collect(),
        exact_bytes: cut.bytes.0 as f64,
        codecs: Codec::ALL.map(|codec| weigh(codec, &frontiers, &cut.frontier)).into(),
        answers: answers(network, cut, pictures),
    }
}

/// The answers with each format; every head runs once for all of them.
fn answers(
    network: &Network,
    cut: &CutDescription,
    pictures: &Pictures,
) -> Vec<(ElementFormat, AnswerFigures)> {
    let classes = |input: &Tensor<'_>| {
        let frontier = network.head(cut.cut, input).unwrap();
        ElementFormat::ALL.map(|elements| {
            let encoded = encode(Codec::new(elements, Compression::None), &frontier).unwrap();
            best(&network.tail(cut.cut, &decode(encoded, &cut.frontier).unwrap()).unwrap())
        })
    };
    let classes: Vec<[u32; 4]> = pictures.inputs.par_iter().map(classes).collect();
    let score = |(place, elements): (usize, ElementFormat)| {
        let of_format: Vec<u32> = classes.iter().map(|classes| classes[place]).collect();
        (elements, pictures.score(&of_format))
    };
    ElementFormat::ALL.into_iter().enumerate().map(score).collect()
}

fn bytes_of(encoded: &[EncodedTensor<'_>]) -> usize {
    encoded.iter().map(|tensor| tensor.data().len() + Scale::BYTES * tensor.scales().count()).sum()
}

fn weigh(codec: Codec, frontiers: &[Vec<Tensor<'_>>], expected: &[TensorSignature]) -> CodecFigures {
    let (mut bytes, mut encoding, mut decoding) = (0, Vec::new(), Vec::new());
    for frontier in frontiers {
        bytes += bytes_of(&encode(codec, frontier).unwrap());
        for _ in 0..REPETITIONS {
            let start = Instant::now();
            let encoded = std::hint::black_box(encode(codec, frontier).unwrap());
            encoding.push(milliseconds(start));
            let start = Instant::now();
            std::hint::black_box(decode(encoded, expected).unwrap());
            decoding.push(milliseconds(start));
        }
    }
    CodecFigures {
        codec,
        bytes: bytes as f64 / frontiers.len() as f64,
        encode_ms: median(encoding),
        decode_ms: median(decoding),
    }
}

/// The levels on some cuts' frontiers of one picture, written in each format.
fn measure_levels(network: &Network, cuts: &[CutDescription], pictures: &Pictures) -> Vec<LevelFigures> {
    let formats = [ElementFormat::F32, ElementFormat::F16, ElementFormat::I8Channel];
    let mut figures = Vec::new();
    for elements in formats {
        let frontiers = cuts.iter().step_by(LEVEL_STRIDE);
        let raws: Vec<Vec<u8>> = frontiers
            .flat_map(|cut| {
                let frontier = network.head(cut.cut, &pictures.inputs[0]).unwrap();
                let encoded = encode(Codec::new(elements, Compression::None), &frontier).unwrap();
                encoded.into_iter().map(|tensor| tensor.into_data().into_owned()).collect::<Vec<_>>()
            })
            .collect();
        figures.extend(LEVELS.map(|level| measure_level(elements, level, &raws)));
    }
    figures
}

fn measure_level(elements: ElementFormat, level: i32, raws: &[Vec<u8>]) -> LevelFigures {
    let mut figures = LevelFigures {
        elements,
        level,
        raw_bytes: raws.iter().map(Vec::len).sum(),
        bytes: 0,
        compress_ms: 0.0,
        decompress_ms: 0.0,
    };
    for raw in raws {
        let (mut compressing, mut decompressing, mut compressed) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..REPETITIONS {
            let start = Instant::now();
            compressed = zstd::bulk::compress(raw, level).unwrap();
            compressing.push(milliseconds(start));
            let start = Instant::now();
            std::hint::black_box(zstd::bulk::decompress(&compressed, raw.len()).unwrap());
            decompressing.push(milliseconds(start));
        }
        figures.bytes += compressed.len();
        figures.compress_ms += median(compressing);
        figures.decompress_ms += median(decompressing);
    }
    figures
}

fn milliseconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
