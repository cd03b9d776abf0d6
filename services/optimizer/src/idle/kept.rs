//! The last request of each network, on disk: an optimizer that starts again still knows with which pictures to refresh.
//! Blocking code.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use bytes::Bytes;
use schemas::{ModelName, OptimizeRequest};

use super::REMEMBERED;

/// Of the file of a request; the name of its network is before it.
const ENDING: &str = "request.msgpack";

/// Keeps a request, and no more than [`REMEMBERED`] of them: the latest.
pub(super) fn keep(folder: &Path, model: &ModelName, body: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let path = folder.join(format!("{model}.{ENDING}"));
    // Beside it first: whoever reads finds a whole one.
    let beside = folder.join(format!("{model}.{ENDING}.part"));
    fs::write(&beside, body)?;
    fs::rename(&beside, path)?;
    let mut kept = files(folder)?;
    while kept.len() > REMEMBERED {
        fs::remove_file(folder.join(kept.remove(0).1))?;
    }
    Ok(())
}

/// What was kept, the latest last. A file that is no request is left out, and said.
pub(super) fn kept(folder: &Path) -> io::Result<Vec<(ModelName, Bytes)>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut requests = Vec::new();
    for (_, name) in files(folder)? {
        let body = Bytes::from(fs::read(folder.join(&name))?);
        match schemas::decode::<OptimizeRequest<'_>>(&body) {
            Ok(request) => requests.push((request.model, body.clone())),
            Err(error) => tracing::warn!(file = %name.display(), %error, "not a request that was kept"),
        }
    }
    Ok(requests)
}

fn files(folder: &Path) -> io::Result<Vec<(SystemTime, std::ffi::OsString)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if Path::new(&name).extension() == Some(OsStr::new("msgpack")) {
            files.push((entry.metadata()?.modified()?, name));
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(model: &ModelName) -> Vec<u8> {
        let request = OptimizeRequest {
            model: model.clone(),
            pictures: Vec::new(),
            samples: 1,
            most_samples: None,
            search: schemas::SearchWishes::default(),
        };
        schemas::encode(&request).unwrap()
    }

    #[test]
    fn the_latest_are_kept_and_what_is_no_request_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        assert!(kept(&folder.path().join("none yet")).unwrap().is_empty());
        let models = ["a", "b", "c", "d", "e"].map(|name| name.parse::<ModelName>().unwrap());
        for (index, model) in models.iter().enumerate() {
            keep(folder.path(), model, &request(model)).unwrap();
            // Files of one moment could come in any order.
            let at = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1 + index as u64);
            let path = folder.path().join(format!("{model}.{ENDING}"));
            fs::File::options().write(true).open(path).unwrap().set_modified(at).unwrap();
        }
        fs::write(folder.path().join(format!("e.{ENDING}")), b"no request").unwrap();
        let names: Vec<_> = kept(folder.path()).unwrap().into_iter().map(|(model, _)| model).collect();
        assert_eq!(names, models[1..4]);
    }
}
