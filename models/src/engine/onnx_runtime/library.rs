//! Finds ONNX Runtime's shared library and loads it once.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use ort::environment::Environment;
use schemas::Accelerator;

use crate::error::ModelError;

/// Names the library; the variable that ONNX Runtime's own bindings know.
const VARIABLE: &str = "ORT_DYLIB_PATH";

/// Where distributions and the runtime's own archives put it.
const FOLDERS: [&str; 5] = [
    "/usr/lib",
    "/usr/local/lib",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/opt/onnxruntime/lib",
];

/// Prints the folder in which the Python wheel keeps it.
const ASK_PYTHON: &str = "import importlib.util as u, pathlib as p; print(p.Path(u.find_spec('onnxruntime').origin).parent / 'capi')";

/// The one of this process. The first failure stays: a library that is installed later needs a new start.
pub(super) fn environment() -> Result<&'static Environment, ModelError> {
    static ENVIRONMENT: OnceLock<Result<Environment, String>> = OnceLock::new();
    let loaded = ENVIRONMENT.get_or_init(|| {
        let path = find().ok_or_else(|| {
            format!(
                "its library is not found: install the Python package onnxruntime, or set {VARIABLE} to libonnxruntime.so"
            )
        })?;
        let loading = ort::init_from(&path).map_err(|error| error.to_string());
        let built = loading.and_then(|builder| builder.with_name("splinter").with_telemetry(false).build().map_err(|e| e.to_string()));
        built.map_err(|error| format!("{} cannot be loaded: {error}", path.display()))
    });
    loaded.as_ref().map_err(|reason| ModelError::Accelerator {
        accelerator: Accelerator::OnnxRuntime,
        reason: reason.clone(),
    })
}

fn find() -> Option<PathBuf> {
    let named = env::var_os(VARIABLE).map(PathBuf::from);
    named.or_else(|| FOLDERS.iter().find_map(|folder| library_in(Path::new(folder)))).or_else(of_python)
}

/// `libonnxruntime.so`, or one with a version behind it.
fn library_in(folder: &Path) -> Option<PathBuf> {
    let files = std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let is_it = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name == "libonnxruntime.so"
            || name.starts_with("libonnxruntime.so.")
            || name == "libonnxruntime.dylib"
    };
    files.filter(is_it).min()
}

fn of_python() -> Option<PathBuf> {
    let python = env::var_os("SPLINTER_PYTHON").unwrap_or_else(|| "python3".into());
    let output = Command::new(python).args(["-c", ASK_PYTHON]).output().ok()?;
    library_in(Path::new(String::from_utf8(output.stdout).ok()?.trim()))
}
