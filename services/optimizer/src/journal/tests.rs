use std::fs::{self, OpenOptions};
use std::io::Write;

use schemas::{Configuration, Cut, Digest, FrontId, ModelName, NodeId};

use super::{CampaignKey, Entry, Journal};
use crate::record::Nodes;
use crate::record::tests::sample;

fn nodes() -> Nodes {
    Nodes { edge: NodeId::new("pi").unwrap(), cloud: NodeId::new("rack").unwrap() }
}

fn key(seed: u64) -> CampaignKey {
    CampaignKey {
        model: ModelName::new("tiny").unwrap(),
        digest: Digest::from_bytes([1; 32]),
        nodes: nodes(),
        emulates: None,
        pictures: Digest::from_bytes([2; 32]),
        space: "cut: 0 1".into(),
        strategy: "greybox".into(),
        seed,
        software: "test".into(),
    }
}

fn entry(cut: u16) -> Entry {
    Entry::Sample {
        configuration: Configuration::at(Cut(cut)),
        nodes: nodes(),
        sample: sample(0.1 + f64::from(cut)),
    }
}

fn samples(entries: &[Entry]) -> Vec<Entry> {
    entries.iter().filter(|entry| matches!(entry, Entry::Sample { .. })).cloned().collect()
}

#[test]
fn a_broken_off_campaign_is_found_again_and_a_finished_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let open = |seed, afresh| Journal::open(folder.path(), &key(seed), afresh).unwrap();
    let (mut journal, nothing) = open(1, false);
    assert!(nothing.is_empty());
    journal.append(&entry(1)).unwrap();
    journal.append(&entry(2)).unwrap();
    journal.sync().unwrap();
    let locked = Journal::open(folder.path(), &key(1), false).unwrap_err().to_string();
    assert!(locked.contains("cannot be opened"), "two may not write one log: {locked}");
    drop(journal);

    assert!(open(2, false).1.is_empty(), "another seed is another campaign");
    let (mut journal, left) = open(1, false);
    assert_eq!(samples(&left), [entry(1), entry(2)]);
    journal.append(&entry(3)).unwrap();
    journal.end(FrontId::fresh()).unwrap();
    assert!(open(1, false).1.is_empty(), "it is over");

    let (mut journal, _) = open(1, false);
    journal.append(&entry(4)).unwrap();
    drop(journal);
    assert!(open(1, true).1.is_empty(), "asked to begin anew");
    let done = fs::read_dir(folder.path())
        .unwrap()
        .filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().ends_with(".done.jsonl"));
    assert_eq!(done.count(), 2, "what was put aside is kept");
}

#[test]
fn a_line_that_was_cut_short_is_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(folder.path(), &key(1), false).unwrap();
    journal.append(&entry(1)).unwrap();
    let path = journal.path().to_owned();
    drop(journal);
    let whole = fs::read(&path).unwrap();
    for cut_short in [&b"{\"sample\":{\"conf"[..], b"garbage\n{}\n", b"\n", &[0xff; 40]] {
        OpenOptions::new().append(true).open(&path).unwrap().write_all(cut_short).unwrap();
        let (mut journal, left) = Journal::open(folder.path(), &key(1), false).unwrap();
        assert_eq!(samples(&left), [entry(1)]);
        journal.append(&entry(2)).unwrap();
        drop(journal);
        let (_, left) = Journal::open(folder.path(), &key(1), false).unwrap();
        assert_eq!(samples(&left), [entry(1), entry(2)]);
        fs::write(&path, &whole).unwrap();
    }
}

#[test]
fn a_file_that_is_no_log_is_put_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = Journal::open(folder.path(), &key(1), false).unwrap().0.path().to_owned();
    for alien in ["hello\n", "{\"campaign\":{\"version\":99}}\n"] {
        fs::write(&path, alien).unwrap();
        let (_, left) = Journal::open(folder.path(), &key(1), false).unwrap();
        assert!(left.is_empty());
    }
}

/// The device `/dev/full` takes what a full disk takes: nothing.
#[test]
fn a_full_disk_is_said_and_the_log_stays_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(folder.path(), &key(1), false).unwrap();
    journal.append(&entry(1)).unwrap();
    let path = journal.path().to_owned();
    let whole = fs::read(&path).unwrap();
    let Ok(full) = OpenOptions::new().write(true).open("/dev/full") else {
        eprintln!("SKIPPED: no /dev/full here");
        return;
    };
    let disk = std::mem::replace(&mut journal.file, full);
    let error = journal.append(&entry(2)).unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(
        error.to_string().contains("cannot be written") && cause.contains("No space left"),
        "{error}: {cause}"
    );
    assert_eq!(fs::read(&path).unwrap(), whole);
    journal.file = disk;
    journal.append(&entry(2)).unwrap();
    drop(journal);
    let (_, left) = Journal::open(folder.path(), &key(1), false).unwrap();
    assert_eq!(samples(&left), [entry(1), entry(2)]);
}

#[test]
fn finished_logs_do_not_pile_up() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..25 {
        let (journal, _) = Journal::open(folder.path(), &key(round % 3), false).unwrap();
        journal.end(FrontId::fresh()).unwrap();
    }
    assert!(fs::read_dir(folder.path()).unwrap().count() <= 20);
}
