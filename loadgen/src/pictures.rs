//! Labelled pictures.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::LoadgenError;
use crate::table::Table;

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
    let mut table = Table::with_others(path, &["file", "class_index"])?;
    let mut classes = HashMap::new();
    while let Some(row) = table.next_row()? {
        classes.insert(row.value::<String>("file")?, row.whole("class_index")?);
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
        for (text, problem) in [
            (
                "file,class_index\na.png,cat\n",
                "line 2, column \"class_index\": \"cat\": use a whole number from 0",
            ),
            ("file,class_index\na.png,7\na.png\n", "line 3: the header has 2 columns, this line has 1"),
            ("file,class\na.png,7\n", "line 1: the column class_index is missing"),
        ] {
            fs::write(folder.path().join("labels.csv"), text).unwrap();
            let error = PictureSet::from_folder(folder.path()).unwrap_err().to_string();
            assert!(error.ends_with(&format!("labels.csv, {problem}")), "{error}");
        }
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
