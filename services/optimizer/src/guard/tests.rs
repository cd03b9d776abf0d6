use proptest::prelude::{Strategy, prop, prop_assert, prop_assert_eq, proptest};
use schemas::{Codec, Cut, Share};

use super::{Observation, judge};
use crate::record::Answer;

fn codec(name: &str) -> Codec {
    name.parse().unwrap()
}

fn share(value: f64) -> Share {
    Share::new(value).unwrap()
}

/// Pictures whose right class is 1.
fn labelled(cut: u16, name: &str, classes: &[u32]) -> Observation {
    let answer =
        |(picture, class): (usize, &u32)| (picture, Answer { best: Some(*class), right: Some(*class == 1) });
    Observation {
        cut: Cut(cut),
        codec: codec(name),
        answers: classes.iter().enumerate().map(answer).collect(),
    }
}

/// Pictures whose class nobody knows.
fn unlabelled(cut: u16, name: &str, classes: &[u32]) -> Observation {
    let mut observation = labelled(cut, name, classes);
    observation.answers.values_mut().for_each(|answer| answer.right = None);
    observation
}

fn nothing(cut: u16, name: &str) -> Observation {
    labelled(cut, name, &[])
}

#[test]
fn what_costs_too_much_is_withheld_with_the_reason() {
    struct Case {
        name: &'static str,
        observations: Vec<Observation>,
        greatest: f64,
        withheld: Vec<&'static str>,
    }
    let cases = [
        Case { name: "nothing observed", observations: vec![], greatest: 0.5, withheld: vec![] },
        Case {
            name: "one of four lost",
            observations: vec![
                labelled(2, "f32", &[1, 1, 1, 0]),
                labelled(2, "f16", &[1, 1, 1, 0]),
                labelled(2, "i8", &[1, 1, 0, 0]),
            ],
            greatest: 0.2,
            withheld: vec!["i8 at cut 2: 25.0 % accuracy lost on 4 pictures, at most 20.0 % is set"],
        },
        Case {
            name: "just the set loss is offered",
            observations: vec![labelled(2, "f32", &[1, 1, 1, 0]), labelled(2, "i8", &[1, 1, 0, 0])],
            greatest: 0.25,
            withheld: vec![],
        },
        Case {
            name: "a gain is no loss, though answers changed",
            observations: vec![labelled(2, "f32", &[1, 0, 0, 0]), labelled(2, "i8", &[0, 1, 1, 2])],
            greatest: 0.0,
            withheld: vec![],
        },
        Case {
            name: "without classes, changed answers count",
            observations: vec![unlabelled(2, "f32", &[1, 0, 3, 0]), unlabelled(2, "i8", &[0, 1, 3, 0])],
            greatest: 0.4,
            withheld: vec!["i8 at cut 2: 50.0 % of the answers changed on 4 pictures, at most 40.0 % is set"],
        },
        Case {
            name: "each cut for itself",
            observations: vec![
                labelled(2, "f32", &[1, 1]),
                labelled(2, "i8", &[1, 1]),
                labelled(3, "f32", &[1, 1]),
                labelled(3, "i8", &[1, 0]),
            ],
            greatest: 0.1,
            withheld: vec!["i8 at cut 3: 50.0 % accuracy lost on 2 pictures, at most 10.0 % is set"],
        },
        Case {
            name: "the whole network is the yardstick where f32 was not measured",
            observations: vec![labelled(0, "f32", &[1, 1]), labelled(3, "i8", &[1, 0])],
            greatest: 0.1,
            withheld: vec!["i8 at cut 3: 50.0 % accuracy lost on 2 pictures, at most 10.0 % is set"],
        },
        Case {
            name: "the worst clock counts",
            observations: vec![
                labelled(3, "f32", &[1, 1]),
                labelled(3, "i8", &[1, 0]),
                labelled(3, "i8", &[1, 1]),
            ],
            greatest: 0.1,
            withheld: vec!["i8 at cut 3: 50.0 % accuracy lost on 2 pictures, at most 10.0 % is set"],
        },
        Case {
            name: "what cannot be compared is not offered",
            observations: vec![labelled(3, "f32", &[1, 1]), nothing(3, "i8"), nothing(4, "f16+lz4")],
            greatest: 1.0,
            withheld: vec![
                "i8 at cut 3: its answers could not be compared with those of f32",
                "f16+lz4 at cut 4: its answers could not be compared with those of f32",
            ],
        },
        Case {
            name: "an exact codec needs no proof",
            observations: vec![nothing(3, "f32"), nothing(3, "f32+zstd")],
            greatest: 0.0,
            withheld: vec![],
        },
        Case {
            name: "only pictures that both saw are compared",
            observations: vec![labelled(3, "f32", &[1, 1, 1, 1]), labelled(3, "i8", &[1, 0])],
            greatest: 0.4,
            withheld: vec!["i8 at cut 3: 50.0 % accuracy lost on 2 pictures, at most 40.0 % is set"],
        },
    ];
    for case in cases {
        let offers = judge(&case.observations, share(case.greatest));
        let withheld: Vec<String> = offers.withheld.iter().map(ToString::to_string).collect();
        assert_eq!(withheld, case.withheld, "{}", case.name);
    }
}

fn observations() -> impl Strategy<Value = Vec<Observation>> {
    let one = (0_u16..4, prop::sample::select(Codec::ALL.to_vec()), prop::collection::vec(0_u32..3, 0..6));
    let one = one.prop_map(|(cut, codec, classes)| labelled(cut, &codec.to_string(), &classes));
    prop::collection::vec(one, 0..30)
}

proptest! {
    #[test]
    fn every_pair_is_decided_once(observations in observations(), greatest in 0.0_f64..1.0) {
        let offers = judge(&observations, share(greatest));
        for Observation { cut, codec, .. } in &observations {
            let withheld = offers.withheld.iter().filter(|one| (one.cut, one.codec) == (*cut, *codec)).count();
            prop_assert_eq!(withheld + usize::from(offers.offered.contains(&(*cut, *codec))), 1);
            prop_assert!(!codec.is_exact() || withheld == 0, "{} loses nothing", codec);
        }
    }

    #[test]
    fn more_patience_offers_no_less(observations in observations(), less in 0.0_f64..1.0, more in 0.0_f64..1.0) {
        let (less, more) = (less.min(more), less.max(more));
        let (strict, lenient) = (judge(&observations, share(less)), judge(&observations, share(more)));
        prop_assert!(strict.offered.is_subset(&lenient.offered));
    }
}
