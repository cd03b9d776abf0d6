use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Parser;
use figment::providers::{Format, Serialized, Toml};
use figment::util::nest;
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use serde::de::DeserializeOwned;

/// The file that is read when none is named and it exists.
const DEFAULT_FILE: &str = "splinter.toml";

const PREFIX: &str = "SPLINTER_";

/// Every table; another one is a mistake.
const TABLES: [&str; 9] = [
    "broker",
    "node",
    "telemetry",
    "gateway",
    "scheduler",
    "edge_executor",
    "cloud_executor",
    "tuner",
    "optimizer",
];

/// The command line of every service.
#[derive(Debug, Clone, Default, Parser)]
#[command(
    version,
    after_help = "Settings come from a TOML file with the tables [broker], [node], [telemetry] and one of the\n\
    service's own name, then from variables SPLINTER_<TABLE>__<KEY>, such as SPLINTER_BROKER__URL.\n\
    Exit codes: 0 left in order, 1 failed, 2 wrong usage, 64 bad settings."
)]
pub struct ServiceArguments {
    /// Settings file [default: splinter.toml where there is one]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Ask the service that runs here with these settings whether it is ready (exit code 0), and end
    #[arg(long)]
    pub check: bool,
}

/// Where variables come from: the process in production, a map in tests.
pub trait Environment {
    /// Every variable.
    fn variables(&self) -> BTreeMap<String, String>;
}

/// The process's own environment.
#[derive(Debug, Clone, Copy)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn variables(&self) -> BTreeMap<String, String> {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }
}

impl Environment for BTreeMap<String, String> {
    fn variables(&self) -> BTreeMap<String, String> {
        self.clone()
    }
}

/// Settings that cannot be used; a process exits with 64 because of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A settings file that was named and is not there.
    #[error("there is no settings file {}", .0.display())]
    Missing(PathBuf),
    /// A table that no service has.
    #[error("there is no table [{table}] in the settings: use {}", TABLES.join(", "))]
    UnknownTable {
        /// Its name.
        table: String,
    },
    /// A key or value that does not fit.
    #[error("the settings cannot be used: {0}")]
    Invalid(Box<figment::Error>),
    /// A value that fits its type and cannot be used all the same.
    #[error("the setting {setting} cannot be used: {problem}")]
    Unusable {
        /// Its name, such as `tuner.emulate`.
        setting: &'static str,
        /// What is wrong and what would be right.
        problem: String,
    },
}

impl SettingsError {
    /// Refuses a value outside of a range, naming the setting, the value and the range.
    pub fn check_range(
        setting: &'static str,
        value: f64,
        range: std::ops::RangeInclusive<f64>,
    ) -> Result<(), Self> {
        if range.contains(&value) {
            return Ok(());
        }
        let (least, greatest) = range.into_inner();
        let problem = format!("{value} is out of range, use a value between {least} and {greatest}");
        Err(Self::Unusable { setting, problem })
    }
}

/// The settings of all services, before they are read table by table.
#[derive(Debug, Clone)]
pub struct SettingsFile(Figment);

impl SettingsFile {
    /// Every setting at its default, whatever files and variables there are.
    pub fn defaults() -> Self {
        Self(Figment::new())
    }

    /// Reads the file (`splinter.toml` when none is named and there is one), then the environment over it.
    pub fn load(file: Option<&Path>, environment: &impl Environment) -> Result<Self, SettingsError> {
        let mut figment = Figment::new();
        match file {
            Some(file) if !file.is_file() => return Err(SettingsError::Missing(file.to_path_buf())),
            Some(file) => figment = figment.merge(Toml::file_exact(file)),
            None if Path::new(DEFAULT_FILE).is_file() => {
                figment = figment.merge(Toml::file_exact(DEFAULT_FILE))
            }
            None => {}
        }
        let settings = Self(Variable::all(environment).fold(figment, Figment::merge));
        settings.check_tables()?;
        Ok(settings)
    }

    /// One table; keys that are not there have their defaults, unknown ones are refused by name.
    pub fn table<T: DeserializeOwned>(&self, table: &str) -> Result<T, SettingsError> {
        let with_table = self.0.clone().join(Serialized::default(table, BTreeMap::<String, u8>::new()));
        with_table.extract_inner(table).map_err(|mut error| {
            // figment puts the table behind the key within it.
            error.path.rotate_right(1);
            SettingsError::Invalid(Box::new(error))
        })
    }

    /// The same settings with one value replaced, such as one from the command line.
    #[must_use]
    pub fn with(self, key: &str, value: impl serde::Serialize) -> Self {
        Self(self.0.merge(Serialized::default(key, value)))
    }

    fn check_tables(&self) -> Result<(), SettingsError> {
        let all: Dict = self.0.extract().map_err(|error| SettingsError::Invalid(Box::new(error)))?;
        match all.keys().find(|table| !TABLES.contains(&table.as_str())) {
            Some(table) => Err(SettingsError::UnknownTable { table: table.clone() }),
            None => Ok(()),
        }
    }
}

/// One variable `SPLINTER_<TABLE>__<KEY>` as a setting; errors name it.
struct Variable {
    name: String,
    text: String,
}

impl Variable {
    /// Other variables with the prefix (such as `SPLINTER_NATS_SERVER`) are no settings.
    fn all(environment: &impl Environment) -> impl Iterator<Item = Self> {
        let variables = environment.variables().into_iter();
        let is_setting = |name: &str| name.strip_prefix(PREFIX).is_some_and(|key| key.contains("__"));
        variables.filter(move |(name, _)| is_setting(name)).map(|(name, text)| Self { name, text })
    }
}

impl Provider for Variable {
    fn metadata(&self) -> Metadata {
        Metadata::named(format!("the variable {}", self.name))
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let key = self.name.trim_start_matches(PREFIX).to_ascii_lowercase().replace("__", ".");
        // As figment's own environment provider reads text: numbers, booleans and lists, otherwise a string.
        let value = self.text.parse::<Value>().unwrap_or_else(|infallible| match infallible {});
        Ok(Profile::Default.collect(nest(&key, value).into_dict().unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Example {
        url: String,
        limit: u32,
    }

    fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn variables_win_over_the_file_and_defaults_fill_the_rest() {
        let (_folder, path) = file("[broker]\nurl = \"a\"\nlimit = 1\n");
        let environment =
            variables(&[("SPLINTER_BROKER__LIMIT", "7"), ("SPLINTER_NATS_SERVER", "/x"), ("HOME", "/")]);
        let settings = SettingsFile::load(Some(&path), &environment).unwrap();
        assert_eq!(settings.table::<Example>("broker").unwrap(), Example { url: "a".into(), limit: 7 });
        assert_eq!(settings.table::<Example>("gateway").unwrap(), Example::default());
        let overridden = settings.with("broker.url", "b").table::<Example>("broker").unwrap();
        assert_eq!(overridden, Example { url: "b".into(), limit: 7 });
    }

    #[test]
    fn mistakes_are_refused_by_name() {
        for (text, named) in [
            ("[brokre]\nurl = \"a\"\n", "brokre"),
            ("[broker]\nadress = \"a\"\n", "adress"),
            ("[broker]\nlimit = \"many\"\n", "limit"),
            ("[broker\n", "settings.toml"),
        ] {
            let (_folder, path) = file(text);
            let error = SettingsFile::load(Some(&path), &variables(&[]))
                .and_then(|settings| settings.table::<Example>("broker"))
                .unwrap_err()
                .to_string();
            assert!(error.contains(named), "{error} does not name {named}");
        }
        let environment = variables(&[("SPLINTER_BROKER__LIMIT", "-1")]);
        let settings = SettingsFile::load(None, &environment).unwrap();
        let error = settings.table::<Example>("broker").unwrap_err().to_string();
        assert!(error.contains("SPLINTER_BROKER__LIMIT") && error.contains("broker.limit"), "{error}");
        let missing = SettingsFile::load(Some(Path::new("/nowhere.toml")), &variables(&[])).unwrap_err();
        assert!(matches!(missing, SettingsError::Missing(_)));
    }
}
