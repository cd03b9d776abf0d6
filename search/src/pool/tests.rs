use std::io::Read;
use std::path::{Path, PathBuf};

use proptest::prelude::{prop, prop_assert, proptest};

use super::Pool;
use super::table::{MOST_BYTES, MOST_ROWS};
use crate::error::Error;
use crate::knob::Knob;
use crate::space::SpaceFile;

/// The pool of the paper, which lies beside the repository or where `SPLINTER_SHARED` says; `None`, said loudly, where
/// this machine has none.
pub(crate) fn vgg16(test: &str) -> Option<Pool> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let folder = std::env::var_os("SPLINTER_SHARED").map_or(beside, PathBuf::from);
    let file = folder.join("reference/simulation_pool_vgg16.csv");
    if !file.is_file() {
        eprintln!("SKIPPED {test}: there is no {}; set SPLINTER_SHARED", file.display());
        return None;
    }
    Some(Pool::read(&file, Some(SpaceFile::preset("dynasplit-vgg16").unwrap())).unwrap())
}

fn read(text: &str) -> Result<Pool, Error> {
    Pool::from_reader(text.as_bytes(), Path::new("pool.csv"), None)
}

/// What is known of the file from elsewhere: rows, configurations and repeats as counted with pandas, the front's size as
/// pymoo finds it.
#[test]
fn the_pool_of_the_paper_is_what_it_is_known_to_be() {
    let Some(pool) = vgg16("the_pool_of_the_paper_is_what_it_is_known_to_be") else { return };
    assert_eq!((pool.recorded().len(), pool.space().count(), pool.measured().count()), (747, 917, 747));
    assert_eq!(pool.skipped(), 0);
    let rows = pool.recorded().values().map(|recorded| recorded.rows);
    assert_eq!(rows.clone().sum::<u32>(), 1082);
    assert_eq!((rows.clone().filter(|&rows| rows == 1).count(), rows.max()), (735, Some(123)));
    assert_eq!(pool.front().len(), 18);
    let bytes: Vec<u64> = [0, 1, 3, 22].map(|cut| pool.facts()[cut].bytes.0 / 1024).to_vec();
    assert_eq!(bytes, [588, 3136, 784, 0], "KiB that cross, as the network's shapes say");
    for recorded in pool.recorded().values() {
        let parts = recorded.observation.parts.unwrap();
        let latency = parts.edge_time.get() + parts.wire_time.get() + parts.cloud_time.get();
        assert!((latency - recorded.observation.latency.get()).abs() < 1e-3, "stages add up");
        let energy = parts.edge_energy.get() + parts.cloud_energy.get();
        assert!((energy - recorded.observation.energy.unwrap().get()).abs() < 1e-9, "joules add up");
    }
}

#[test]
fn without_a_declared_space_it_is_that_of_the_values() {
    let Some(declared) = vgg16("without_a_declared_space_it_is_that_of_the_values") else { return };
    let text = declared.recorded().keys().map(|&candidate| {
        let value = |knob| declared.space().value(candidate, knob).to_string();
        let clock = value(Knob::EdgeFrequency);
        let (edge, cloud) = (value(Knob::EdgeAccelerator), value(Knob::CloudAccelerator));
        format!("{},{clock},{edge},{cloud},1.0\n", value(Knob::Cut))
    });
    let header = "cut,edge-frequency,edge-accelerator,cloud-accelerator,latency\n".to_owned();
    let pool = read(&std::iter::once(header).chain(text).collect::<String>()).unwrap();
    assert_eq!((pool.recorded().len(), pool.space().count()), (747, 917));
    assert_eq!(pool.space().values(Knob::EdgeAccelerator), declared.space().values(Knob::EdgeAccelerator));
}

/// As the paper's pool of the vision transformer: no accuracy, no accelerator on the edge.
const VIT: &str = "\
latency,energy,avg energy edge (J),avg latency edge (ms),avg latency cloud (ms),avg latency transfer (ms),avg energy cloud (J),tensor size (KB),cpu-freq,layer,server-accelerator
130.0,110.5,0.5,20.0,100.0,10.0,110.0,588.0,1200.0,0.0,True
134.0,112.5,0.5,22.0,102.0,10.0,112.0,588.0,1200.0,0.0,True
400.0,52.0,2.0,340.0,50.0,10.0,50.0,591.0,1800.0,9.0,False
900.0,4.0,4.0,900.0,0.0,0.0,0.0,0.0,1800.0,19.0,False
";

#[test]
fn a_pool_may_lack_what_was_not_measured() {
    let pool = read(VIT).unwrap();
    assert_eq!(pool.recorded().len(), 3);
    assert_eq!(pool.space().values(Knob::EdgeAccelerator).len(), 1);
    let all_cloud = pool.recorded().values().next().unwrap();
    assert_eq!((all_cloud.rows, all_cloud.observation.latency.get()), (2, 132.0));
    assert_eq!(all_cloud.observation.accuracy, None);
    assert_eq!(all_cloud.observation.energy.unwrap().get(), 111.5);
    assert_eq!(all_cloud.observation.parts.unwrap().cloud_time.get(), 101.0);
    assert_eq!(pool.front().len(), 3);
    let declared = SpaceFile::preset("dynasplit-vit").unwrap();
    let pool = Pool::from_reader(VIT.as_bytes(), Path::new("vit.csv"), Some(declared)).unwrap();
    assert_eq!((pool.space().count(), pool.measured().count()), (273, 3));
    let only_latency = read("layer,latency\n0,5\n1,4\n").unwrap();
    assert_eq!(only_latency.front().len(), 1);
    assert!(only_latency.recorded().values().all(|recorded| recorded.observation.energy.is_none()));
}

/// As `study.trials_dataframe()` writes them: the paper's three objectives in their order, two of them, and named.
#[test]
fn trials_of_optuna_are_read() {
    let three = "number,values_0,values_1,values_2,datetime_start,params_cpu-freq,params_edge-accelerator,params_layer,params_server-accelerator,user_attrs_tensor size (KB),state\n\
                 0,94.0,0.605,66.8,2024-01-01,1800,off,0,True,588,COMPLETE\n\
                 1,,,,2024-01-01,1800,max,0,True,,PRUNED\n\
                 2,430.5,0.603,2.2,2024-01-01,1200,max,22,False,0,COMPLETE\n";
    let two =
        "values_0,values_1,params_layer,state\n94.0,66.8,0,COMPLETE\n430.5,2.2,22,COMPLETE\n1.0,,3,FAIL\n";
    let named =
        "values_energy,values_latency,values_accuracy,params_layer\n66.8,94.0,0.605,0\n2.2,430.5,0.603,22\n";
    for (text, accuracy) in [(three, Some(0.605)), (two, None), (named, Some(0.605))] {
        let pool = read(text).unwrap();
        assert_eq!((pool.recorded().len(), pool.skipped()), (2, 0), "{text}");
        let first = pool.recorded().values().next().unwrap().observation;
        assert_eq!((first.latency.get(), first.energy.unwrap().get()), (94.0, 66.8), "{text}");
        assert_eq!(first.accuracy.map(|accuracy| accuracy.get()), accuracy, "{text}");
    }
    let swapped = "values_0,values_1,values_2,params_layer\n94.0,66.8,0.605,0\n";
    let error = read(swapped).unwrap_err().to_string();
    assert!(error.starts_with("pool.csv, line 2, column \"values_1\": an accuracy is a share"), "{error}");
    assert!(error.contains("latency, accuracy and energy"), "{error}");
}

#[test]
fn rows_that_cannot_count_are_left_out_and_counted() {
    let text = "layer,latency,energy,accuracy\n0,5,1,0.5\n1,NaN,1,0.5\n2,inf,1,0.5\n3,-1,1,0.5\n4,fast,1,0.5\n5,,1,0.5\n\
                6,5,,0.5\n7,5,1,NaN\n8,5,1,0.5\n,5,1,0.5\n";
    let pool = read(text).unwrap();
    assert_eq!((pool.recorded().len(), pool.skipped()), (2, 8));
}

#[test]
fn repeats_are_averaged() {
    let pool = read("layer,latency,energy\n3,10,1\n4,7,2\n3,12,1\n3.0,14,1\n").unwrap();
    let recorded: Vec<(u32, f64)> = pool
        .recorded()
        .values()
        .map(|recorded| (recorded.rows, recorded.observation.latency.get()))
        .collect();
    assert_eq!(recorded, [(3, 12.0), (1, 7.0)]);
}

#[test]
fn one_row_is_a_pool() {
    let pool = read("layer,latency\n7,5\n").unwrap();
    assert_eq!((pool.recorded().len(), pool.space().count(), pool.front().len()), (1, 1, 1));
}

#[test]
fn an_error_says_file_line_and_column() {
    let cases = [
        ("", "pool.csv, line 1: there is no column \"layer\" or \"cut\", which every pool needs"),
        (
            "layer,energy\n1,2\n",
            "pool.csv, line 1: there is no column \"latency\", \"values_latency\" or \"values_0\"",
        ),
        ("layer,latency\n", "pool.csv: it holds no usable row (0 lack a value"),
        ("layer,latency\n1,NaN\n", "pool.csv: it holds no usable row (1 lack a value"),
        (
            "layer,latency\n1,2\nx,3\n",
            "pool.csv, line 3, column \"layer\": \"x\" is no value of the knob cut",
        ),
        ("layer,latency\n1.5,3\n", "pool.csv, line 2, column \"layer\": \"1.5\" is no value of the knob cut"),
        ("layer,latency\n1,2,3\n", "pool.csv, line 2: "),
        ("layer,latency,cpu-freq\n1,2,fast\n", "line 2, column \"cpu-freq\": \"fast\" is no value"),
        (
            "layer,latency,accuracy\n1,2,60.5\n",
            "line 2, column \"accuracy\": an accuracy is a share from 0 to 1",
        ),
        ("layer,latency,codec\n1,2,mp3\n", "line 2, column \"codec\": \"mp3\" is no value of the knob codec"),
        ("layer,layer,latency\n1,2,3\n", "pool.csv, line 1: the column \"layer\" is there twice"),
    ];
    for (text, expected) in cases {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text:?}: {error}");
    }
    let declared = SpaceFile::preset("dynasplit-vit").unwrap();
    let outside = "layer,latency,cpu-freq\n0,5,600\n40,5,600\n";
    let error = Pool::from_reader(outside.as_bytes(), Path::new("pool.csv"), Some(declared)).unwrap_err();
    assert!(
        error.to_string().starts_with("pool.csv, line 3: cut 40, edge-frequency 600 MHz is not in the space")
    );
    let missing = Pool::read(Path::new("/does/not/exist.csv"), None).unwrap_err().to_string();
    assert_eq!(missing, "cannot read /does/not/exist.csv");
    let binary =
        Pool::from_reader(&b"layer,latency\n\xff\xfe,1\n"[..], Path::new("pool.csv"), None).unwrap_err();
    assert!(binary.to_string().starts_with("pool.csv, line 2: "), "{binary}");
}

/// Text without end, from nothing.
struct Endless(&'static [u8]);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = buffer.len() / self.0.len() * self.0.len();
        for (place, byte) in buffer[..count].iter_mut().enumerate() {
            *byte = self.0[place % self.0.len()];
        }
        Ok(count)
    }
}

#[test]
fn a_file_without_end_ends_in_an_error() {
    let rows = b"layer,latency\n".chain(Endless(b"1,5\n2,5\n"));
    let error = Pool::from_reader(rows, Path::new("pool.csv"), None).unwrap_err().to_string();
    assert!(error.contains(&format!("more than {MOST_ROWS} rows")), "{error}");
    let field = b"layer,latency\n".chain(Endless(b"1"));
    let error = Pool::from_reader(field, Path::new("pool.csv"), None).unwrap_err().to_string();
    assert!(error.contains(&format!("more than {} MiB", MOST_BYTES >> 20)), "{error}");
}

proptest! {
    /// Hostile text is an error, never a panic; what is read has a front.
    #[test]
    fn any_text_is_read_or_refused(
        header in prop::sample::subsequence(vec!["layer", "latency", "energy", "accuracy", "cpu-freq", "codec", "x"], 1..7),
        cells in prop::collection::vec(prop::sample::select(vec![
            "0", "1", "22.0", "-1", "NaN", "1e400", "", "\"", "600", "f32", "i8+lz4", "0.5", "\u{fffd}", ",",
        ]), 0..60),
    ) {
        let rows: Vec<String> = cells.chunks(header.len()).map(|row| row.join(",")).collect();
        if let Ok(pool) = read(&format!("{}\n{}\n", header.join(","), rows.join("\n"))) {
            prop_assert!(!pool.front().is_empty());
            prop_assert!(pool.measured().count() == pool.recorded().len());
        }
    }
}
