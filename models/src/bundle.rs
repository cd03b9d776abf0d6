//! A network's files: ONNX, `model.toml`, labels.

use std::borrow::Cow;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use schemas::{Digest, ModelName};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::ModelError;
use crate::graph::import;
use crate::preprocessing::Preprocessing;
use crate::preset::Preset;
use crate::source::Source;

/// Greatest size of an ONNX file: protobuf itself ends at 2 GiB, edge devices well before half of it.
pub const GREATEST_ONNX_BYTES: u64 = 1 << 30;

/// Greatest size of `model.toml` and `labels.txt`: 100 000 classes with long names.
const GREATEST_TEXT_BYTES: u64 = 8 << 20;

const MANIFEST_FILE: &str = "model.toml";
const ONNX_FILE: &str = "model.onnx";
const LABELS_FILE: &str = "labels.txt";

/// A network's files, checked against their digests.
#[derive(Debug, Clone)]
pub struct Bundle {
    manifest: Manifest,
    digest: Digest,
    labels: Arc<[String]>,
    onnx: Source,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    name: ModelName,
    #[serde(default)]
    source: String,
    #[serde(default)]
    licence: String,
    files: Files,
    preprocessing: Preprocessing,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Files {
    onnx: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    onnx_sha256: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    labels: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    labels_sha256: Option<Digest>,
}

impl Bundle {
    /// Reads a bundle's folder: `model.toml` and the files it names, which lie beside it.
    ///
    /// # Errors
    /// When a file is missing, too large, not as `model.toml` says, or named by a path out of the folder.
    pub fn open(dir: &Path) -> Result<Self, ModelError> {
        let text = read_text(&dir.join(MANIFEST_FILE))?;
        let manifest = parse(&text)?;
        let onnx = Source::open(&dir.join(plain_name(&manifest.files.onnx)?), GREATEST_ONNX_BYTES)?;
        let labels = match &manifest.files.labels {
            Some(file) => Some(read_text(&dir.join(plain_name(file)?))?),
            None => None,
        };
        Self::from_manifest(manifest, onnx, labels.as_deref())
    }

    /// Takes a bundle's files as they came over the network.
    ///
    /// # Errors
    /// As [`Bundle::open`].
    pub fn from_files(model_toml: &str, onnx: Vec<u8>, labels: Option<&str>) -> Result<Self, ModelError> {
        if onnx.len() as u64 > GREATEST_ONNX_BYTES {
            return Err(ModelError::Bundle(format!("the ONNX file has {} bytes", onnx.len())));
        }
        Self::from_manifest(parse(model_toml)?, onnx.into(), labels)
    }

    /// Takes a bundle's texts with an ONNX file, which is held open as long as the bundle lives: it may be deleted.
    ///
    /// # Errors
    /// As [`Bundle::open`].
    pub fn from_file(model_toml: &str, onnx: &Path, labels: Option<&str>) -> Result<Self, ModelError> {
        Self::from_manifest(parse(model_toml)?, Source::open(onnx, GREATEST_ONNX_BYTES)?, labels)
    }

    /// Takes a bare ONNX file with a preset of preprocessing at the size of its input. Its name is the file's, it has
    /// no labels, and its licence is unknown.
    ///
    /// # Errors
    /// When the file cannot be read or has no input of 1 × 3 × height × width.
    pub fn from_onnx(path: &Path, preset: Preset) -> Result<Self, ModelError> {
        Self::bare(path, preset, |channels| channels == RGB)
    }

    /// As [`Bundle::from_onnx`] for who looks at a network and gives it no pictures: its input may have any number of
    /// channels.
    ///
    /// # Errors
    /// When the file cannot be read or has no input of 1 × channels × height × width.
    pub fn from_onnx_to_look_at(path: &Path) -> Result<Self, ModelError> {
        Self::bare(path, Preset::default(), |_| true)
    }

    fn bare(path: &Path, preset: Preset, takes: fn(u64) -> bool) -> Result<Self, ModelError> {
        let onnx = Source::open(path, GREATEST_ONNX_BYTES)?;
        let file = path.display().to_string();
        let (shape, digest) = onnx.read_and_digest(|onnx| import::input_shape(onnx, &file))?;
        let size = picture_size(&shape).filter(|_| takes(shape[1]));
        let preprocessing =
            size.map(|(width, height)| preset.preprocessing(width, height)).ok_or_else(|| {
                ModelError::Bundle(format!(
                    "{file}: its input {shape:?} is no RGB picture (1×3×height×width)"
                ))
            })?;
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let manifest = Manifest {
            name: name_from(&stem)?,
            source: file,
            licence: "unknown".to_owned(),
            files: Files { onnx: ONNX_FILE.to_owned(), onnx_sha256: None, labels: None, labels_sha256: None },
            preprocessing,
        };
        Self::checked(manifest, onnx, digest, None)
    }

    fn from_manifest(manifest: Manifest, onnx: Source, labels: Option<&str>) -> Result<Self, ModelError> {
        let digest = onnx.digest()?;
        Self::checked(manifest, onnx, digest, labels)
    }

    fn checked(
        manifest: Manifest,
        onnx: Source,
        digest: Digest,
        labels: Option<&str>,
    ) -> Result<Self, ModelError> {
        if let Some(fault) = manifest.preprocessing.fault() {
            return Err(ModelError::Bundle(fault));
        }
        check_digest(&manifest.files.onnx, manifest.files.onnx_sha256.as_ref(), &digest)?;
        let labels = match (labels, &manifest.files.labels) {
            (Some(text), file) => {
                let file = file.as_deref().unwrap_or(LABELS_FILE);
                check_digest(file, manifest.files.labels_sha256.as_ref(), &digest_of(text.as_bytes()))?;
                labels_of(text)
            }
            (None, Some(file)) => return Err(ModelError::Bundle(format!("{file} is missing"))),
            (None, None) => Vec::new(),
        };
        Ok(Self { manifest, digest, labels: labels.into(), onnx })
    }

    /// The name it is served under.
    pub fn name(&self) -> &ModelName {
        &self.manifest.name
    }

    /// The same bundle under another name.
    pub fn renamed(mut self, name: ModelName) -> Self {
        self.manifest.name = name;
        self
    }

    /// The same bundle with the classes' names of a file, one a line.
    ///
    /// # Errors
    /// When the file cannot be read, is too large, no UTF-8 text, or empty.
    pub fn with_labels(mut self, path: &Path) -> Result<Self, ModelError> {
        let labels = labels_of(&read_text(path)?);
        if labels.is_empty() {
            return Err(ModelError::Bundle(format!("{} names no class", path.display())));
        }
        self.labels = labels.into();
        Ok(self)
    }

    /// The same bundle, said to come from there under that licence.
    pub fn with_origin(mut self, source: impl Into<String>, licence: impl Into<String>) -> Self {
        (self.manifest.source, self.manifest.licence) = (source.into(), licence.into());
        self
    }

    /// SHA-256 of the ONNX file.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The classes' names, in the order of the output; empty when it has none.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// How pictures become tensors.
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.manifest.preprocessing
    }

    /// The ONNX file's bytes, read anew where the bundle was opened from a folder.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn onnx(&self) -> Result<Cow<'_, [u8]>, ModelError> {
        self.onnx.bytes()
    }

    pub(crate) fn source(&self) -> &Source {
        &self.onnx
    }

    /// The bundle's files by name: `model.onnx`, `labels.txt` where it has labels, and last `model.toml` (with their
    /// digests), so that whoever finds it where they are stored in this order finds the others too.
    ///
    /// # Errors
    /// When `model.toml` cannot be written as text, or the ONNX file cannot be read.
    pub fn files(&self) -> Result<Vec<(String, Vec<u8>)>, ModelError> {
        let labels = (!self.labels.is_empty()).then(|| {
            let mut text = self.labels.join("\n");
            text.push('\n');
            text
        });
        let mut manifest = self.manifest.clone();
        manifest.files = Files {
            onnx: ONNX_FILE.to_owned(),
            onnx_sha256: Some(self.digest.clone()),
            labels: labels.is_some().then(|| LABELS_FILE.to_owned()),
            labels_sha256: labels.as_ref().map(|text| digest_of(text.as_bytes())),
        };
        let text = toml::to_string(&manifest).map_err(|e| ModelError::ManifestNotWritten(Box::new(e)))?;
        let mut files = vec![(ONNX_FILE.to_owned(), self.onnx.bytes()?.into_owned())];
        files.extend(labels.map(|text| (LABELS_FILE.to_owned(), text.into_bytes())));
        files.push((MANIFEST_FILE.to_owned(), text.into_bytes()));
        Ok(files)
    }

    /// Writes the bundle's files into a folder, which is created. Each appears whole or not at all, `model.toml` last:
    /// before it there is no bundle.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write_to(&self, dir: &Path) -> Result<(), ModelError> {
        fs::create_dir_all(dir).map_err(|source| ModelError::File { path: dir.to_owned(), source })?;
        for (name, bytes) in self.files()? {
            let path = dir.join(&name);
            let unfinished = dir.join(format!(".{name}.unfinished"));
            let written = fs::write(&unfinished, bytes).and_then(|()| fs::rename(&unfinished, &path));
            written.map_err(|source| ModelError::File { path, source })?;
        }
        Ok(())
    }
}

fn parse(text: &str) -> Result<Manifest, ModelError> {
    toml::from_str(text).map_err(|e| ModelError::Manifest(Box::new(e)))
}

fn read(path: &Path, greatest: u64) -> Result<Vec<u8>, ModelError> {
    let fault = |source| ModelError::File { path: path.to_owned(), source };
    let length = fs::metadata(path).map_err(fault)?.len();
    if length > greatest {
        return Err(ModelError::Bundle(format!(
            "{} has {length} bytes, the greatest is {greatest}",
            path.display()
        )));
    }
    fs::read(path).map_err(fault)
}

fn read_text(path: &Path) -> Result<String, ModelError> {
    String::from_utf8(read(path, GREATEST_TEXT_BYTES)?)
        .map_err(|_| ModelError::Bundle(format!("{} is not UTF-8 text", path.display())))
}

fn labels_of(text: &str) -> Vec<String> {
    text.lines().map(|line| line.trim().to_owned()).collect()
}

/// Channels of a colour picture.
const RGB: u64 = 3;

/// Width and height of an input that is one picture.
fn picture_size(shape: &[u64]) -> Option<(u32, u32)> {
    let &[1, _, height, width] = shape else { return None };
    Some((u32::try_from(width).ok()?, u32::try_from(height).ok()?))
}

/// A bundle may come from elsewhere: its `model.toml` must not read files outside its folder.
fn plain_name(name: &str) -> Result<&str, ModelError> {
    let plain = !name.is_empty() && name != ".." && name != "." && !name.contains(['/', '\\']);
    if plain { Ok(name) } else { Err(ModelError::Bundle(format!("{name:?} is not a plain file name"))) }
}

fn name_from(stem: &str) -> Result<ModelName, ModelError> {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let text: String = stem.chars().take(64).map(allowed).collect();
    ModelName::new(text).map_err(|e| ModelError::Bundle(e.to_string()))
}

fn digest_of(bytes: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::digest(bytes).into())
}

fn check_digest(file: &str, expected: Option<&Digest>, actual: &Digest) -> Result<(), ModelError> {
    match expected {
        Some(expected) if expected != actual => Err(ModelError::WrongDigest {
            file: file.to_owned(),
            expected: expected.to_string(),
            actual: actual.to_string(),
        }),
        _ => Ok(()),
    }
}
