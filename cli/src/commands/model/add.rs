//! `splinter model add`: a network into the model store of a running system.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use models::{Accelerator, Bundle, Network, Preset};
use schemas::{ServedModel, UnixMillis};

use super::{read, read_to_use};
use crate::arguments::{AddArguments, BrokerArguments};
use crate::connection;
use crate::output::say;

/// How long is waited for an executor to load and warm the network.
const LOADING: Duration = Duration::from_secs(60);

/// Makes a bundle of what is given and stores it.
pub async fn run(arguments: AddArguments) -> anyhow::Result<()> {
    let AddArguments { path, preset, labels, name, broker } = arguments;
    let mut bundle = bundle(&path, preset, labels.as_deref())?;
    if let Some(name) = name {
        bundle = bundle.renamed(name);
    }
    store(&bundle, &broker).await
}

fn bundle(path: &Path, preset: Option<Preset>, labels: Option<&Path>) -> anyhow::Result<Bundle> {
    if path.is_dir() {
        if preset.is_some() || labels.is_some() {
            bail!(
                "{} is a bundle, whose model.toml says its preprocessing and labels: --preset and --labels are for ONNX files",
                path.display()
            );
        }
        return read(path);
    }
    let unusable = || format!("{} is not a network that can be used", path.display());
    let bundle = match preset {
        Some(preset) => Bundle::from_onnx(path, preset).with_context(unusable)?,
        None if io::stdin().is_terminal() && io::stderr().is_terminal() => {
            let preset = ask(&mut io::stdin().lock(), &mut io::stderr().lock())?;
            Bundle::from_onnx(path, preset).with_context(unusable)?
        }
        None => read_to_use(path)?,
    };
    match labels {
        Some(labels) => Ok(bundle.with_labels(labels)?),
        None => Ok(bundle),
    }
}

/// Most answers that are no choice before it is given up.
const QUESTIONS: usize = 3;

/// Asks a person for the preset; an empty line is the default.
fn ask(answers: &mut impl BufRead, questions: &mut impl Write) -> anyhow::Result<Preset> {
    writeln!(questions, "How do pictures become its input?")?;
    for (number, preset) in (1..).zip(Preset::ALL) {
        writeln!(questions, "  {number}  {:16}{}", preset.as_str(), preset.about())?;
    }
    for _ in 0..QUESTIONS {
        write!(questions, "Number or name [{}]: ", Preset::default())?;
        questions.flush()?;
        let mut line = String::new();
        if answers.read_line(&mut line)? == 0 {
            break;
        }
        match choice(line.trim()) {
            Some(preset) => return Ok(preset),
            None => writeln!(questions, "{:?} is none of them", line.trim())?,
        }
    }
    bail!("no preset was chosen: name one with --preset")
}

fn choice(answer: &str) -> Option<Preset> {
    if answer.is_empty() {
        return Some(Preset::default());
    }
    let by_number =
        answer.parse::<usize>().ok().and_then(|number| Preset::ALL.get(number.checked_sub(1)?).copied());
    by_number.or_else(|| answer.parse().ok())
}

/// Checks that the bundle can be used, stores it, and waits until it is served or nobody does so.
pub async fn store(bundle: &Bundle, broker: &BrokerArguments) -> anyhow::Result<()> {
    // A network that does not load here would not load there: better said now than in a service's log.
    let checked = bundle.clone();
    tokio::task::spawn_blocking(move || check(&checked)).await??;
    let bus = connection::connect(broker, "splinter-model").await?;
    let store = bus.model_store().await?;
    for (file, bytes) in bundle.files()? {
        store.put(bundle.name(), &file, bytes).await?;
    }
    let presences = bus.watch_presences().await?;
    let deadline = UnixMillis::now().after(LOADING);
    let digest = bundle.digest().clone();
    let serves = |model: &ServedModel| model.name == *bundle.name() && model.digest == digest;
    let loaded =
        presences.wait_until(deadline, |all| all.iter().any(|one| one.models.iter().any(serves))).await;
    bus.close().await;
    match loaded {
        Ok(_) => say(&format!("{} is in the model store and served", bundle.name())),
        Err(_) => say(&format!("{} is in the model store; no executor serves it yet", bundle.name())),
    }
    Ok(())
}

fn check(bundle: &Bundle) -> anyhow::Result<()> {
    let network = Network::load(bundle, Accelerator::Cpu)?;
    let output = network.describe(bundle.name(), bundle.labels()).output;
    let (classes, labels) = (output.shape.iter().product::<u64>(), bundle.labels().len() as u64);
    if labels != 0 && labels != classes {
        bail!("{} has {labels} labels for the {classes} values of its output", bundle.name());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_chooses_by_number_name_or_not_at_all() {
        for (typed, chosen) in [
            ("\n", Some(Preset::ImagenetTorch)),
            ("2\n", Some(Preset::ImagenetTf)),
            ("caffe-bgr\n", Some(Preset::CaffeBgr)),
            ("0\nwhat?\n3\n", Some(Preset::Cifar)),
            ("5\n5\n5\n1\n", None),
            ("", None),
        ] {
            let mut said = Vec::new();
            let preset = ask(&mut typed.as_bytes(), &mut said);
            assert_eq!(preset.ok(), chosen, "{typed:?}");
            let said = String::from_utf8(said).unwrap();
            assert!(Preset::ALL.iter().all(|preset| said.contains(preset.about())), "{said}");
        }
    }
}
