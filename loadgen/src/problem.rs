//! What is wrong with a file and where, said alike whatever is written in it: `FILE, line 3, column 8: what is wrong`.

use std::fmt;
use std::path::Path;

use search::TextPlace;

/// What is wrong with a text, in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where; `None` where the text as a whole says what cannot be.
    pub place: Option<TextPlace>,
    /// What, and what would be right.
    pub what: String,
}

impl Problem {
    /// Of TOML. `text` is what was read.
    pub(crate) fn of_toml(text: &str, error: &toml::de::Error) -> Self {
        let place = error.span().map(|span| TextPlace::of(text, span.start));
        Self { place, what: one_line(error.message()) }
    }

    /// Of JSON, before which so many lines of its file stand.
    pub(crate) fn of_json(error: &serde_json::Error, lines_before: usize) -> Self {
        let text = error.to_string();
        // The reader says the place in words of its own.
        let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
        // A text that ends too early ends before the first character of its next line.
        let place = TextPlace { line: lines_before + error.line(), column: error.column().max(1) };
        Self { place: Some(place), what: one_line(what) }
    }

    /// The same, with the file that it is in.
    pub(crate) fn in_file(&self, path: &Path) -> String {
        let place = self.place.map(|place| place.to_string()).unwrap_or_default();
        format!("{}{place}: {}", path.display(), self.what)
    }
}

impl From<String> for Problem {
    fn from(what: String) -> Self {
        Self { place: None, what }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(TextPlace { line, column }) = self.place {
            write!(f, "line {line}, column {column}: ")?;
        }
        f.write_str(&self.what)
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toml_and_json_are_complained_of_alike() {
        let file = Path::new("a.file");
        let toml = toml::from_str::<toml::Table>("a = 1\nb = = 2\n").unwrap_err();
        let said = Problem::of_toml("a = 1\nb = = 2\n", &toml).in_file(file);
        assert!(said.starts_with("a.file, line 2, column 5: ") && !said.contains('\n'), "{said}");
        let json = |text: &str| serde_json::from_str::<Vec<bool>>(text).unwrap_err();
        let said = Problem::of_json(&json("[true,\n \"a\\nb\"]"), 4).in_file(file);
        assert!(said.starts_with("a.file, line 6, column ") && said.contains(": "), "{said}");
        assert!(!said.contains('\n') && !said.contains(" at line "), "{said}");
        let said = Problem::of_json(&json("[true,\n"), 0).to_string();
        assert_eq!(said, "line 2, column 1: EOF while parsing a value");
    }

    #[test]
    fn what_has_no_place_names_the_file_alone() {
        let problem = Problem::from("seed is 7".to_owned());
        assert_eq!(
            (problem.to_string(), problem.in_file(Path::new("a"))),
            ("seed is 7".into(), "a: seed is 7".into())
        );
    }
}
