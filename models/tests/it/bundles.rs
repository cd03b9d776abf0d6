//! Bundles on disk and over the wire.

use models::{Bundle, ModelError, Preprocessing, Preset};
use schemas::{Digest, ModelName};

const MANIFEST: &str = r#"
name = "small"
[files]
onnx = "model.onnx"
labels = "labels.txt"
[preprocessing]
width = 32
height = 32
scale = 1.0
mean = [0.0, 0.0, 0.0]
deviation = [1.0, 1.0, 1.0]
"#;

fn small() -> Bundle {
    Bundle::from_files(MANIFEST, b"not parsed here".to_vec(), Some("cat\ndog\n")).unwrap()
}

#[test]
fn a_bundle_survives_its_files() {
    let bundle = small().renamed(ModelName::new("renamed").unwrap());
    let folder = tempfile::tempdir().unwrap();
    bundle.write_to(folder.path()).unwrap();
    let read = Bundle::open(folder.path()).unwrap();
    assert_eq!(read.name().as_str(), "renamed");
    assert_eq!(read.digest(), bundle.digest());
    assert_eq!(read.labels(), ["cat", "dog"]);
    assert_eq!(*read.onnx().unwrap(), *b"not parsed here");
    assert_eq!(read.preprocessing(), bundle.preprocessing());
    let names: Vec<String> = read.files().unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["model.onnx", "labels.txt", "model.toml"]);
}

#[test]
fn changed_files_are_refused_by_their_digest() {
    for file in ["model.onnx", "labels.txt"] {
        let folder = tempfile::tempdir().unwrap();
        small().write_to(folder.path()).unwrap();
        std::fs::write(folder.path().join(file), "something else").unwrap();
        let error = Bundle::open(folder.path()).unwrap_err();
        assert!(matches!(&error, ModelError::WrongDigest { file: named, .. } if named == file), "{error}");
    }
}

#[test]
fn the_digest_is_the_files_sha256() {
    let bundle = Bundle::from_files(MANIFEST, Vec::new(), Some("")).unwrap();
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(*bundle.digest(), Digest::new(empty).unwrap());
}

#[test]
fn bad_manifests_are_refused() {
    let cases = [
        ("nonsense", "not TOML ["),
        ("an unknown key", &MANIFEST.replace("scale", "scales")),
        ("a name that is no token", &MANIFEST.replace("small", "a.b")),
        ("an endless picture", &MANIFEST.replace("width = 32", "width = 4000000000")),
        ("no width", &MANIFEST.replace("width = 32", "width = 0")),
        ("division by zero", &MANIFEST.replace("[1.0, 1.0, 1.0]", "[1.0, 0.0, 1.0]")),
        (
            "a short side below the crop",
            &MANIFEST.replace("width = 32", "resize_short_side = 16\nwidth = 32"),
        ),
    ];
    for (what, manifest) in cases {
        let error = Bundle::from_files(manifest, Vec::new(), Some("")).unwrap_err();
        assert!(!error.is_callers_fault(), "{what}: {error}");
    }
    assert!(Bundle::from_files(MANIFEST, Vec::new(), None).is_err(), "labels are missing");
}

#[test]
fn files_outside_the_folder_are_refused() {
    for name in ["../model.onnx", "/etc/passwd", "..", "a/b"] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("model.toml"), MANIFEST.replace("model.onnx", name)).unwrap();
        let error = Bundle::open(folder.path()).unwrap_err();
        assert!(matches!(error, ModelError::Bundle(_)), "{name}: {error}");
    }
}

#[test]
fn presets_are_what_the_publishers_say() {
    let Some(shared) = crate::shared::folder("presets_are_what_the_publishers_say") else { return };
    for (network, preset) in [
        ("mobilenetv2_1.0_224", Preset::ImagenetTf),
        ("squeezenet1.1_224", Preset::CaffeBgr),
        ("resnet20_cifar10", Preset::ImagenetTorch),
        ("vit4_cifar10", Preset::Cifar),
    ] {
        let file = shared.join(format!("models/{network}.onnx"));
        let ours = Bundle::from_onnx(&file, preset).unwrap();
        // What the accuracy tests check against the published accuracy.
        let published = crate::shared::bundle(&shared, network);
        let (ours, published) = (ours.preprocessing(), published.preprocessing());
        // Written with 15 digits there.
        assert!((ours.scale - published.scale).abs() < 1e-15, "{network}: {ours:?}");
        assert_eq!(Preprocessing { scale: published.scale, ..ours.clone() }, *published, "{network}");
    }
}

#[test]
fn a_bare_file_becomes_a_bundle_of_its_name_size_labels_and_origin() {
    let Some(shared) = crate::shared::folder("a_bare_file_becomes_a_bundle") else { return };
    let folder = tempfile::tempdir().unwrap();
    let labels = folder.path().join("classes.txt");
    std::fs::write(&labels, "cat\r\n dog \n").unwrap();
    let bundle = Bundle::from_onnx(&shared.join("models/squeezenet1.1_224.onnx"), Preset::CaffeBgr).unwrap();
    assert_eq!(bundle.name().as_str(), "squeezenet1-1_224");
    let bundle = bundle.with_labels(&labels).unwrap().with_origin("its authors", "MIT");
    bundle.write_to(&folder.path().join("bundle")).unwrap();
    let read = Bundle::open(&folder.path().join("bundle")).unwrap();
    assert_eq!((read.digest(), read.preprocessing()), (bundle.digest(), bundle.preprocessing()));
    assert_eq!(read.labels(), ["cat", "dog"]);
    let manifest = std::fs::read_to_string(folder.path().join("bundle/model.toml")).unwrap();
    assert!(manifest.contains("its authors") && manifest.contains("MIT"), "{manifest}");
    std::fs::write(&labels, "").unwrap();
    assert!(matches!(bundle.with_labels(&labels), Err(ModelError::Bundle(_))));
}

#[test]
fn writing_leaves_nothing_unfinished_and_no_manifest_without_its_files() {
    let folder = tempfile::tempdir().unwrap();
    // A folder in the place of the labels: they cannot be written.
    std::fs::create_dir_all(folder.path().join("labels.txt/in-the-way")).unwrap();
    small().write_to(folder.path()).unwrap_err();
    assert!(!folder.path().join("model.toml").exists());
    std::fs::remove_dir_all(folder.path().join("labels.txt")).unwrap();
    small().write_to(folder.path()).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
}
