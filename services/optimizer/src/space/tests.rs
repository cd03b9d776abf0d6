use schemas::{Accelerator, Codec, Configuration, Cut, ModelDescription};

use super::Choices;
use crate::site::Pair;
use crate::site::tests::{description_of, pair_with};

fn choices(declared: Option<&str>, description: &ModelDescription, codecs: &[&str], pair: &Pair) -> Choices {
    let codecs: Vec<Codec> = codecs.iter().map(|codec| codec.parse().unwrap()).collect();
    Choices::new(declared, description, &codecs, pair).unwrap()
}

fn all(choices: &Choices) -> Vec<Configuration> {
    choices.space().candidates().map(|candidate| choices.configuration(candidate)).collect()
}

#[test]
fn counts_of_configurations() {
    struct Case {
        name: &'static str,
        declared: Option<&'static str>,
        codecs: &'static [&'static str],
        megahertz: &'static [u64],
        edge: &'static [Accelerator],
        expected: usize,
    }
    use Accelerator::{Cpu, OnnxRuntime};
    let plain = Case {
        name: "cuts and clocks",
        declared: None,
        codecs: &["f32"],
        megahertz: &[600, 1_800],
        edge: &[Cpu],
        expected: 10,
    };
    let cases = [
        // Three cuts between the ends with two codecs, the ends with one.
        Case { name: "codecs", codecs: &["f32", "i8"], expected: (3 * 2 + 2) * 2, ..plain },
        // At cut 0 the edge's accelerator has no meaning.
        Case { name: "accelerators", edge: &[Cpu, OnnxRuntime], expected: (4 * 2 + 1) * 2, ..plain },
        Case { name: "no clock to set", megahertz: &[], expected: 5, ..plain },
        Case {
            name: "declared cuts that the network lacks fall away",
            declared: Some("[knobs]\ncut = { from = 3, to = 999 }"),
            expected: 2 * 2,
            ..plain
        },
        Case {
            name: "threads are turned where they are declared",
            declared: Some("[knobs]\nedge-threads = [1, 4, 64]\nedge-frequency = \"1800 MHz\""),
            expected: 4 * 2 + 1,
            ..plain
        },
        Case {
            name: "a declared rule",
            declared: Some(
                "[knobs]\ncut = [0, 2]\n[[rule]]\nwhen = { cut = 2 }\nonly = { edge-frequency = \"600 MHz\" }",
            ),
            expected: 3,
            ..plain
        },
        plain,
    ];
    for case in cases {
        let pair = pair_with(case.megahertz, case.edge);
        let choices = choices(case.declared, &description_of(4, &[]), case.codecs, &pair);
        let configurations = all(&choices);
        assert_eq!((choices.legal(), configurations.len()), (case.expected, case.expected), "{}", case.name);
        for configuration in configurations {
            let candidate = choices.candidate(&configuration).unwrap();
            assert_eq!(choices.configuration(candidate), configuration, "{}", case.name);
        }
    }
}

#[test]
fn pruned_cuts_are_tried_only_where_they_are_declared() {
    let description = description_of(4, &[1, 2]);
    let pair = pair_with(&[], &[Accelerator::Cpu]);
    assert_eq!(choices(None, &description, &["f32"], &pair).cuts(), [0, 3, 4].map(Cut));
    let declared = Some("[knobs]\ncut = { from = 0, to = 4 }");
    assert_eq!(choices(declared, &description, &["f32"], &pair).cuts(), [0, 1, 2, 3, 4].map(Cut));
}

#[test]
fn the_papers_spaces_run_on_machines_without_its_accelerators() {
    let (_, text) = search::space::PRESETS[0];
    let pair = pair_with(&[600, 1_000, 1_800], &[Accelerator::Cpu]);
    let choices = choices(Some(text), &description_of(22, &[]), &["f32"], &pair);
    assert_eq!(choices.legal(), 23 * 3, "every cut at the clocks that there are");
    assert!(all(&choices).iter().all(|one| one.edge_accelerator == Accelerator::Cpu));
}

#[test]
fn what_cannot_be_is_said() {
    let cases = [
        ("[knobs]\nedge-frequency = \"1200 MHz\"", "the knob edge-frequency is wanted at 1200 MHz"),
        ("[knobs]\ncloud-accelerator = \"cuda\"", "the knob cloud-accelerator is wanted at cuda"),
        ("[knobs]\nedge-threads = 64", "the knob edge-threads"),
        ("[knobs]\ncut = 77", "the knob cut is wanted at 77"),
        ("[knobs]\nvoltage = 3", "voltage"),
        (
            "[knobs]\ncut = 2\nedge-frequency = [\"600 MHz\", \"1800 MHz\"]\n[[rule]]\nwhen = { cut = 2 }\nonly = { edge-frequency = \"600 MHz\" }\n[[rule]]\nwhen = { cut = 2 }\nonly = { edge-frequency = \"1800 MHz\" }",
            "no configuration of this space is legal",
        ),
    ];
    for (declared, says) in cases {
        let pair = pair_with(&[600, 1_800], &[Accelerator::Cpu]);
        let error = Choices::new(Some(declared), &description_of(4, &[]), &[Codec::F32], &pair).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
}
