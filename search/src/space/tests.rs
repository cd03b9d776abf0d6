use std::collections::BTreeSet;
use std::num::NonZeroU16;

use proptest::prelude::{
    Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_assume, prop_oneof, proptest,
};
use schemas::{Cut, KiloHertz};

use super::{Candidate, PRESETS, Rule, Space, SpaceFile, distance};
use crate::error::Error;
use crate::knob::{Knob, Value};

/// The numbers of the paper's own table.
#[test]
fn the_spaces_of_the_paper_have_its_sizes() {
    let expected = [
        ("dynasplit-vgg16", 917),
        ("dynasplit-resnet50", 1673),
        ("dynasplit-mobilenetv2", 3143),
        ("dynasplit-vit", 273),
    ];
    assert_eq!(PRESETS.map(|(name, _)| name), expected.map(|(name, _)| name));
    for (name, expected) in expected {
        let space = SpaceFile::preset(name).unwrap().space().unwrap();
        assert_eq!(space.count(), expected, "{name}");
    }
    let error = SpaceFile::preset("vgg16").unwrap_err().to_string();
    assert!(error.contains("dynasplit-vgg16"), "{error}");
}

fn vgg16() -> Space {
    SpaceFile::preset("dynasplit-vgg16").unwrap().space().unwrap()
}

fn cuts(range: std::ops::RangeInclusive<u16>) -> (Knob, Vec<Value>) {
    (Knob::Cut, range.map(|cut| Value::Cut(Cut(cut))).collect())
}

fn names(knob: Knob, names: &[&str]) -> (Knob, Vec<Value>) {
    (knob, names.iter().map(|name| Value::Accelerator((*name).to_owned())).collect())
}

fn megahertz(clocks: &[u64]) -> (Knob, Vec<Value>) {
    (Knob::EdgeFrequency, clocks.iter().map(|clock| Value::Frequency(KiloHertz(clock * 1000))).collect())
}

#[test]
fn rules_bind() {
    let space = vgg16();
    let cases = [
        (0, "off", "on", true),
        (0, "std", "on", false),
        (0, "max", "off", false),
        (11, "max", "on", true),
        (22, "max", "off", true),
        (22, "max", "on", false),
    ];
    for (cut, edge, cloud, expected) in cases {
        let values = [
            (Knob::Cut, Value::Cut(Cut(cut))),
            (Knob::EdgeAccelerator, Value::Accelerator(edge.into())),
            (Knob::CloudAccelerator, Value::Accelerator(cloud.into())),
        ];
        let candidate = space.candidate(&values).unwrap();
        assert_eq!(space.is_legal(candidate), expected, "cut {cut}, {edge}, {cloud}");
    }
    let candidate = space.candidate(&[(Knob::Cut, Value::Cut(Cut(5)))]).unwrap();
    let words = space.describe(candidate).to_string();
    assert_eq!(words, "cut 5, edge-frequency 600 MHz, edge-accelerator off, cloud-accelerator off");
    assert_eq!(space.candidate(&[(Knob::Cut, Value::Cut(Cut(23)))]), None);
    assert!(!space.is_legal(candidate.with(Knob::Cut, 23)), "a place beyond the list");
    assert!(!space.is_legal(candidate.with(Knob::EdgeThreads, 1)), "a knob that is not turned");
}

#[test]
fn a_rule_may_ask_for_two_knobs() {
    let text = "[knobs]\ncut = [0, 1, 2]\nedge-accelerator = [\"off\", \"on\"]\nedge-threads = [1, 4]\n\
                [[rule]]\nwhen = { cut = [1, 2], edge-accelerator = \"on\" }\nonly = { edge-threads = 1 }\n";
    let space = SpaceFile::parse(text, "space.toml").unwrap().space().unwrap();
    // Of 12 combinations, four threads with the accelerator at two cuts are none.
    assert_eq!(space.count(), 10);
}

#[test]
fn what_the_machines_lack_is_left_out() {
    let space = vgg16()
        .intersected(&[megahertz(&[600, 1800, 2400]), names(Knob::EdgeAccelerator, &["off"])])
        .unwrap();
    // Two clocks and no accelerator: the first cut has 2 × 2, 21 cuts have 2 × 2, the last has 2 × 1.
    assert_eq!(space.count(), 4 + 21 * 4 + 2);
    assert_eq!(space.values(Knob::EdgeFrequency), megahertz(&[600, 1800]).1);
    assert_eq!(
        space.values(Knob::EdgeThreads),
        [Value::AsItIs],
        "a knob that nobody declared stays as it is"
    );
    // Without the cuts that rules speak of, the rules are gone with them.
    assert_eq!(vgg16().intersected(&[cuts(1..=2)]).unwrap().count(), 2 * 7 * 3 * 2);
}

#[test]
fn a_knob_that_no_node_has_is_named() {
    let none = vgg16().intersected(&[names(Knob::CloudAccelerator, &[])]).unwrap_err();
    assert!(matches!(none, Error::NotOffered { knob: Knob::CloudAccelerator, .. }), "{none}");
    assert_eq!(
        none.to_string(),
        "the knob cloud-accelerator is wanted at off, on, and the machines offer nothing"
    );
    let other = vgg16().intersected(&[names(Knob::EdgeAccelerator, &["npu"])]).unwrap_err().to_string();
    assert_eq!(other, "the knob edge-accelerator is wanted at off, std, max, and the machines offer npu");
}

#[test]
fn a_space_without_a_legal_configuration_is_refused() {
    let knobs = || vec![cuts(0..=1), names(Knob::EdgeAccelerator, &["off", "on"])];
    let only = |cut: u16, name: &str| Rule {
        when: vec![cuts(cut..=cut)],
        only: names(Knob::EdgeAccelerator, &[name]),
    };
    let impossible = Space::new(knobs(), &[only(0, "npu"), only(1, "npu")]).unwrap_err();
    assert!(matches!(impossible, Error::EmptySpace), "{impossible}");
    assert_eq!(Space::new(knobs(), &[only(0, "npu")]).unwrap().count(), 2, "the other cut is left");
    let nothing = vgg16().restricted(BTreeSet::new()).unwrap_err();
    assert!(matches!(nothing, Error::EmptySpace), "{nothing}");
}

#[test]
fn knobs_have_values() {
    let threads = |count: u16| Value::Threads(NonZeroU16::new(count).unwrap());
    type Knobs = Vec<(Knob, Vec<Value>)>;
    let unusable: [(Knobs, &str); 5] = [
        (vec![(Knob::Cut, vec![])], "between 1 and"),
        (vec![(Knob::EdgeThreads, vec![threads(1), threads(1)])], "none of them twice"),
        (vec![cuts(0..=10_000)], "between 1 and 10000"),
        (vec![cuts(0..=1), cuts(0..=2)], "declared twice"),
        (
            vec![
                cuts(0..=9_999),
                (Knob::EdgeThreads, (1..=9_999).map(threads).collect()),
                names(Knob::EdgeAccelerator, &["off", "on"]),
            ],
            "more than 100000000 combinations",
        ),
    ];
    for (knobs, expected) in unusable {
        let error = Space::new(knobs, &[]).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert_eq!(Space::new(vec![], &[]).unwrap().count(), 1, "nothing to turn is one configuration");
}

#[test]
fn a_space_file_says_where_it_is_wrong() {
    let cases = [
        ("[knobs", "line 1, column 7"),
        ("", "missing field `knobs`"),
        ("[knobs]\ngpu = [1]", "line 2, column 1: unknown variant `gpu`"),
        ("[knobs]\ncut = []", "line 2, column 7: the knob cut needs between 1 and 10000 values"),
        (
            "[knobs]\ncut = { from = 3, to = 2 }",
            "line 2, column 7: the knob cut needs between 1 and 10000 values",
        ),
        ("[knobs]\ncut = { from = 3 }", "line 2, column 7: a knob has a value, such as 4"),
        (
            "[knobs]\ncut = { from = 0, to = 20000 }",
            "line 2, column 7: the knob cut needs between 1 and 10000",
        ),
        ("[knobs]\ncut = [1, 2, 1]", "line 2, column 7: the knob cut has the value 1 twice"),
        ("[knobs]\ncut = -1", "line 2, column 7: a knob has a value"),
        (
            "[knobs]\ncut = [0]\nedge-frequency = [\"600\"]",
            "line 3, column 18: \"600\" is no value of the knob",
        ),
        ("[knobs]\ncut = [0]\n[rules]", "line 3, column 2: unknown field `rules`"),
        (
            "[knobs]\ncut = [0]\n[[rule]]\nwhen = { cut = 0 }\nonly = {}",
            "line 3, column 1: a rule needs a knob in `when` and a knob in `only`",
        ),
        (
            "[knobs]\ncut = [0, 1]\nedge-threads = 2\n[[rule]]\nwhen = { cut = 2 }\nonly = { edge-threads = 2 }",
            "line 4, column 1: a rule names cut 2, which is not among the knob's values",
        ),
    ];
    for (text, expected) in cases {
        let error = SpaceFile::parse(text, "my/space.toml").unwrap_err().to_string();
        assert!(error.starts_with("my/space.toml") && error.contains(expected), "{text:?}: {error}");
        assert!(!error.contains('\n'), "{error:?} is one line");
    }
}

/// What `docs/search.md` shows and what the presets hold is read as it is meant.
#[test]
fn a_space_file_is_read() {
    let text = "[knobs]\ncut = [0, 4, 22]\ncodec = [\"f32\", \"i8+lz4\"]\nedge-threads = [1, 4]\n\
                edge-frequency = \"1.5 GHz\"\n";
    let file = SpaceFile::parse(text, "space.toml").unwrap();
    assert_eq!(file.declared(Knob::EdgeFrequency), Some(&megahertz(&[1500]).1[..]));
    assert_eq!(file.declared(Knob::CloudAccelerator), None);
    assert!(file.rules().is_empty());
    assert_eq!(file.clone().space().unwrap().count(), 3 * 2 * 2);
    let (knob, values) = cuts(0..=9);
    assert_eq!(file.with(knob, values).space().unwrap().count(), 10 * 2 * 2, "the cuts of another network");
}

#[test]
fn snapping_turns_what_has_no_meaning_first() {
    let space = vgg16();
    let at = |cut: usize, clock: usize, edge: usize, cloud: usize| {
        let start = space.candidate(&[]).unwrap().with(Knob::Cut, cut).with(Knob::EdgeFrequency, clock);
        start.with(Knob::EdgeAccelerator, edge).with(Knob::CloudAccelerator, cloud)
    };
    assert_eq!(space.snap(at(0, 3, 2, 1)), Some(at(0, 3, 0, 1)));
    assert_eq!(space.snap(at(22, 3, 2, 1)), Some(at(22, 3, 2, 0)));
    let left = BTreeSet::from([at(5, 0, 1, 1), at(7, 3, 1, 1), at(5, 3, 1, 0)]);
    let restricted = space.clone().restricted(left).unwrap();
    // Three steps of the clock cost 3, a cut 3 each, another cloud accelerator 20.
    assert_eq!(restricted.snap(at(5, 3, 1, 1)), Some(at(5, 0, 1, 1)));
    assert_eq!(restricted.snap(at(6, 3, 1, 1)), Some(at(7, 3, 1, 1)));
}

/// Any space of up to three values a knob, with up to three rules of places.
fn spaces() -> impl Strategy<Value = Space> {
    let size = || prop_oneof![Just(1_u16), Just(2), Just(3)];
    let rule = (0..3_usize, 0..3_u16, 0..3_usize, 0..3_u16);
    let sizes = (size(), size(), size(), size());
    (sizes, prop::collection::vec(rule, 0..4)).prop_filter_map(
        "no legal one",
        |((cuts_, threads, edge, cloud), rules)| {
            let accelerators = |knob, count: u16| names(knob, &["off", "std", "max"][..usize::from(count)]);
            let knobs = vec![
                cuts(0..=cuts_ - 1),
                (Knob::EdgeThreads, (1..=threads).filter_map(NonZeroU16::new).map(Value::Threads).collect()),
                accelerators(Knob::EdgeAccelerator, edge),
                accelerators(Knob::CloudAccelerator, cloud),
            ];
            let some = |which: usize, place: u16| {
                let (knob, values) = &knobs[which];
                (*knob, values.get(usize::from(place)).into_iter().cloned().collect::<Vec<_>>())
            };
            let rule = |&(when, value, bound, only): &(usize, u16, usize, u16)| Rule {
                when: vec![some(when, value)],
                only: some(bound + 1, only),
            };
            let rules: Vec<Rule> = rules.iter().map(rule).collect();
            Space::new(knobs, &rules).ok()
        },
    )
}

proptest! {
    #[test]
    fn only_legal_candidates_exist(space in spaces()) {
        let all: Vec<Candidate> = space.candidates().collect();
        prop_assert!(all.is_sorted_by(|a, b| a < b), "ascending, none twice");
        prop_assert!(all.iter().all(|&candidate| space.is_legal(candidate)));
        let mut legal = 0;
        for cut in 0..3 { for threads in 0..3 { for edge in 0..3 { for cloud in 0..3 {
            let candidate = all[0].with(Knob::Cut, cut).with(Knob::EdgeThreads, threads);
            let candidate = candidate.with(Knob::EdgeAccelerator, edge).with(Knob::CloudAccelerator, cloud);
            legal += usize::from(space.is_legal(candidate));
        }}}}
        prop_assert_eq!(legal, all.len());
        for candidate in all {
            let values = Knob::ALL.map(|knob| (knob, space.value(candidate, knob).clone()));
            prop_assert_eq!(space.candidate(&values), Some(candidate));
        }
    }

    #[test]
    fn snapping_ends_at_a_legal_neighbour(space in spaces(), places in any::<[u8; 4]>()) {
        let [cut, threads, edge, cloud] = places.map(|place| usize::from(place % 3));
        let wanted = space.candidate(&[]).unwrap().with(Knob::Cut, cut).with(Knob::EdgeThreads, threads);
        let wanted = wanted.with(Knob::EdgeAccelerator, edge).with(Knob::CloudAccelerator, cloud);
        let found = space.snap(wanted).unwrap();
        prop_assert!(space.is_legal(found));
        prop_assert_eq!(space.snap(found), Some(found));
        if space.is_legal(wanted) {
            prop_assert_eq!(found, wanted);
        }
    }

    /// Of a space without rules, what is left is the nearest by the weights.
    #[test]
    fn snapping_to_what_was_measured_is_to_the_nearest(
        kept in prop::collection::btree_set(0_usize..917, 1..20),
        wanted in 0_usize..917,
    ) {
        let space = vgg16();
        let all: Vec<Candidate> = space.candidates().collect();
        let kept: BTreeSet<Candidate> = kept.into_iter().map(|place| all[place]).collect();
        let restricted = space.restricted(kept.clone()).unwrap();
        let found = restricted.snap(all[wanted]).unwrap();
        let least = kept.iter().map(|&candidate| distance(all[wanted], candidate)).min().unwrap();
        prop_assert_eq!(distance(all[wanted], found), least);
        prop_assert_eq!(restricted.candidates().collect::<BTreeSet<_>>(), kept);
    }

    /// Whatever the machines offer, what is left is legal in the whole, and all of it that they offer.
    #[test]
    fn intersecting_takes_away_only_what_is_not_offered(offered in prop::collection::btree_set(0_usize..7, 1..7)) {
        let space = vgg16();
        let clocks = space.values(Knob::EdgeFrequency).to_vec();
        let offered: Vec<Value> = offered.into_iter().map(|place| clocks[place].clone()).collect();
        prop_assume!(!offered.is_empty());
        let left = space.clone().intersected(&[(Knob::EdgeFrequency, offered.clone())]).unwrap();
        let is_offered = |&candidate: &Candidate| offered.contains(space.value(candidate, Knob::EdgeFrequency));
        prop_assert_eq!(left.count(), space.candidates().filter(is_offered).count());
    }

    /// Hostile text is an error, never a panic.
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}", knob in 0..6_usize, value in ".{0,20}") {
        let of_knob = format!("[knobs]\n{} = [{value:?}]\n", Knob::ALL[knob]);
        for text in [text, of_knob] {
            if let Ok(file) = SpaceFile::parse(&text, "space.toml") {
                prop_assert!(file.space().is_ok());
            }
        }
    }
}
