//! `splinter keys`: what makes a deployment safe.

use keys::{Change, Entry, Report, Request};

use crate::arguments::KeysArguments;
use crate::output;

/// Makes the folder, or what is missing in it, and says what was done.
pub fn run(arguments: &KeysArguments) -> anyhow::Result<()> {
    let KeysArguments { out, hub_host, edge_host, leaf_port, rotate, output: printing } = arguments;
    let request = Request {
        hub_hosts: hub_host.clone(),
        edge_hosts: edge_host.clone(),
        leaf_port: *leaf_port,
        rotate: rotate.clone(),
    };
    let report = keys::make(out, &request)?;
    output::print(printing.json, &report, in_words)
}

fn in_words(report: &Report) -> String {
    let folder = report.folder.display();
    let mut lines: Vec<String> = Vec::new();
    for (change, word) in [(Change::Made, "made"), (Change::Replaced, "replaced"), (Change::Kept, "kept")] {
        let files: Vec<String> =
            report.files.iter().filter(|entry| entry.change == change).map(in_a_word).collect();
        if !files.is_empty() {
            lines.push(format!("{word:9} {}", files.join(", ")));
        }
    }
    lines.push(format!("{folder}/README says what each file is and where it goes"));
    lines.extend(report.next.iter().map(|step| format!("now: {step}")));
    lines.join("\n")
}

fn in_a_word(entry: &Entry) -> String {
    match &entry.ends {
        Some(ends) => format!("{} (until {ends})", entry.file),
        None => entry.file.clone(),
    }
}
