//! Labelled pictures.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::LoadgenError;

/// An encoded picture and, where it is known, its class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// A JPEG or PNG file's bytes.
    pub bytes: Vec<u8>,
    /// The class's index in the network's output.
    pub class: Option<u32>,
}

/// At least one picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureSet(Vec<Picture>);

impl PictureSet {
    /// Reads every `.jpg`, `.jpeg` and `.png` file of a folder, by name; classes come from its `labels.csv`
    /// (columns `file` and `class_index`, others ignored) where there is one.
    pub fn from_folder(folder: &Path) -> Result<Self, LoadgenError> {
        let classes = read_labels(&folder.join("labels.csv"))?;
        let pictures = picture_paths(folder)?
            .into_iter()
            .map(|path| {
                let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
                let class = name.and_then(|name| classes.get(&name).copied());
                Ok(Picture { bytes: read(&path)?, class })
            })
            .collect::<Result<Vec<_>, LoadgenError>>()?;
        Self::new(pictures).ok_or_else(|| LoadgenError::NoPictures(folder.to_path_buf()))
    }

    /// Takes pictures; `None` when there are none.
    pub fn new(pictures: Vec<Picture>) -> Option<Self> {
        (!pictures.is_empty()).then_some(Self(pictures))
    }

    /// The pictures.
    pub fn pictures(&self) -> &[Picture] {
        &self.0
    }

    /// The picture of the request at this position; the set repeats.
    pub fn at(&self, position: usize) -> &Picture {
        &self.0[position % self.0.len()]
    }
}

fn picture_paths(folder: &Path) -> Result<Vec<PathBuf>, LoadgenError> {
    let unreadable = |source| LoadgenError::Unreadable { path: folder.to_path_buf(), source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        if matches!(extension.as_deref(), Some("jpg" | "jpeg" | "png")) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<Vec<u8>, LoadgenError> {
    fs::read(path).map_err(|source| LoadgenError::Unreadable { path: path.to_path_buf(), source })
}

/// The classes by file name; empty when the file is missing.
fn read_labels(path: &Path) -> Result<HashMap<String, u32>, LoadgenError> {
    if !path.exists() {
        return Ok(HashMap::new());
    }
    let invalid =
        |line, problem: String| LoadgenError::InvalidRow { path: path.to_path_buf(), line, problem };
    let bytes = read(path)?;
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let headers = reader.headers().map_err(|error| invalid(1, error.to_string()))?.clone();
    let column = |name: &str| {
        let position = headers.iter().position(|header| header == name);
        position.ok_or_else(|| invalid(1, format!("the column {name} is missing")))
    };
    let (file, class) = (column("file")?, column("class_index")?);
    let mut classes = HashMap::new();
    for row in reader.records() {
        let row = row.map_err(|error| {
            invalid(error.position().map_or(0, |position| position.line()), error.to_string())
        })?;
        let line = row.position().map_or(0, |position| position.line());
        let text = row.get(class).unwrap_or_default();
        let index =
            text.trim().parse().map_err(|_| invalid(line, format!("{text:?} is not a class index")))?;
        classes.insert(row.get(file).unwrap_or_default().to_owned(), index);
    }
    Ok(classes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_come_from_the_labels_file() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("b.png"), "B").unwrap();
        fs::write(folder.path().join("a.JPG"), "A").unwrap();
        fs::write(folder.path().join("notes.txt"), "x").unwrap();
        fs::write(folder.path().join("labels.csv"), "file,class_index,name\nb.png,7,x\n").unwrap();
        let set = PictureSet::from_folder(folder.path()).unwrap();
        let seen: Vec<_> = set.pictures().iter().map(|p| (p.bytes.as_slice(), p.class)).collect();
        assert_eq!(seen, [(&b"A"[..], None), (&b"B"[..], Some(7))]);
        assert_eq!(set.at(3).bytes, b"B");
    }

    #[test]
    fn a_bad_label_names_file_and_line() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.png"), "A").unwrap();
        fs::write(folder.path().join("labels.csv"), "file,class_index\na.png,cat\n").unwrap();
        let error = PictureSet::from_folder(folder.path()).unwrap_err().to_string();
        assert!(error.contains("labels.csv, line 2") && error.contains("\"cat\""), "{error}");
    }

    #[test]
    fn a_folder_without_pictures_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(PictureSet::from_folder(folder.path()), Err(LoadgenError::NoPictures(_))));
        assert!(matches!(
            PictureSet::from_folder(&folder.path().join("missing")),
            Err(LoadgenError::Unreadable { .. })
        ));
    }
}
