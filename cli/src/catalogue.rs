//! The catalogue: where networks can be fetched, under which licence, and how one knows that they are right.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use download::Source;
use models::{GREATEST_ONNX_BYTES, Preset};
use schemas::ModelName;
use serde::{Deserialize, Serialize};

/// The catalogue that ships with Splinter.
const SHIPPED: &str = include_str!("../catalogue.toml");

/// Greatest size of a catalogue: thousands of networks.
const GREATEST_CATALOGUE: u64 = 4 << 20;

/// Greatest size of a file of labels, as in a bundle.
const GREATEST_LABELS: u64 = 8 << 20;

/// Networks that can be fetched.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// In the order of the file, no name twice.
    #[serde(rename = "network")]
    pub networks: Vec<CatalogueNetwork>,
}

/// A network that can be fetched.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueNetwork {
    /// The name to fetch it by, and the bundle's.
    pub name: ModelName,
    /// What it is, in a line.
    pub about: String,
    /// The licence of its file, as its publisher says.
    pub licence: String,
    /// How pictures become its input.
    pub preset: Preset,
    /// The network.
    pub onnx: Source,
    /// The classes' names, one a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Source>,
}

impl Catalogue {
    /// The one that ships with Splinter.
    pub fn shipped() -> anyhow::Result<Self> {
        Self::parse(SHIPPED).context("the catalogue that ships with splinter is damaged")
    }

    /// Somebody's own.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let unusable = || format!("{} is not a catalogue that can be used", path.display());
        let length = fs::metadata(path).with_context(unusable)?.len();
        if length > GREATEST_CATALOGUE {
            bail!("{} has {length} bytes, the greatest catalogue has {GREATEST_CATALOGUE}", path.display());
        }
        Self::parse(&fs::read_to_string(path).with_context(unusable)?).with_context(unusable)
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let catalogue: Self = toml::from_str(text)?;
        for (index, network) in catalogue.networks.iter().enumerate() {
            let name = &network.name;
            let twice = catalogue.networks[..index].iter().any(|earlier| earlier.name == *name);
            ensure!(!twice, "{name} is in it twice");
            check(&network.onnx, GREATEST_ONNX_BYTES).with_context(|| format!("the ONNX file of {name}"))?;
            if let Some(labels) = &network.labels {
                check(labels, GREATEST_LABELS).with_context(|| format!("the labels of {name}"))?;
            }
        }
        Ok(catalogue)
    }

    /// A network by name.
    pub fn find(&self, name: &ModelName) -> anyhow::Result<&CatalogueNetwork> {
        self.networks.iter().find(|network| network.name == *name).with_context(|| {
            let names: Vec<&str> = self.networks.iter().map(|network| network.name.as_str()).collect();
            format!("the catalogue has no {name}; it has {}", names.join(", "))
        })
    }
}

fn check(source: &Source, greatest: u64) -> anyhow::Result<()> {
    let known = ["https://", "http://"].iter().any(|scheme| source.address.starts_with(scheme));
    ensure!(known, "{:?} is neither an https nor an http address", source.address);
    let size = source.bytes;
    ensure!((1..=greatest).contains(&size), "its size of {size} bytes is not between 1 and {greatest}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NETWORK: &str = r#"
        [[network]]
        name = "net"
        about = "a network"
        licence = "MIT"
        preset = "cifar"
        onnx = { address = "https://example.org/net.onnx", sha256 = "DIGEST", bytes = 5 }
    "#;

    fn parse(text: &str) -> anyhow::Result<Catalogue> {
        Catalogue::parse(&text.replace("DIGEST", &"0a".repeat(32)))
    }

    #[test]
    fn the_shipped_one_is_whole_and_all_of_it_comes_encrypted() {
        let shipped = Catalogue::shipped().unwrap();
        assert!(!shipped.networks.is_empty());
        for network in &shipped.networks {
            for source in [Some(&network.onnx), network.labels.as_ref()].into_iter().flatten() {
                assert!(source.address.starts_with("https://"), "{network:?}");
            }
            assert!(!network.licence.is_empty() && !network.about.is_empty(), "{network:?}");
        }
    }

    #[test]
    fn bad_ones_are_refused_with_a_reason() {
        parse(NETWORK).unwrap();
        for (change, to, reason) in [
            ("cifar", "imagenet", "imagenet-torch"),
            ("bytes = 5", "bytes = 0", "between 1 and"),
            ("bytes = 5", "bytes = 99999999999", "between 1 and"),
            ("https:", "ftp:", "neither an https nor an http"),
            ("DIGEST", "abc", "SHA-256"),
            ("licence", "license", "license"),
            ("\"net\"", "\"a/b\"", "name"),
        ] {
            let error = format!("{:#}", parse(&NETWORK.replace(change, to)).unwrap_err());
            assert!(error.contains(reason), "{to}: {error}");
        }
        let error = parse(&NETWORK.repeat(2)).unwrap_err().to_string();
        assert!(error.contains("twice"), "{error}");
    }

    #[test]
    fn an_unknown_name_names_the_known_ones() {
        let error = parse(NETWORK).unwrap().find(&ModelName::new("other").unwrap()).unwrap_err().to_string();
        assert!(error.contains("other") && error.contains("net"), "{error}");
    }
}
