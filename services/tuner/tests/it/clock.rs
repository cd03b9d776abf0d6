//! Setting the clock: written where it must be, read back, and nothing written when it is already so.

use std::os::unix::fs::MetadataExt;

use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
use schemas::{FaultKind, KiloHertz, KnobSupport};
use tuner::TunerError;
use tuner::knobs::cpufreq::{Clocks, PolicyState, Way};

use crate::trees::{INTEL, PI, Sets, Tree, VIRTUAL, megahertz};

#[test]
fn the_pis_clock_is_set_through_the_userspace_governor() {
    let tree = Tree::of(PI);
    let mut device = tree.device();
    assert!(device.set_clock(megahertz(800)).unwrap());
    assert_eq!(tree.policy0("scaling_governor"), "userspace");
    assert_eq!(tree.policy0("scaling_setspeed"), "800000");
    let report = device.now();
    assert_eq!((report.frequency_khz, report.governor.as_deref()), (Some(megahertz(800)), Some("userspace")));
}

/// The paper's program found "800" in "1800000" and "600" in "1600000", and left the clock as it was.
#[test]
fn clocks_whose_digits_hold_one_another_are_told_apart() {
    let tree = Tree::of(PI);
    let mut device = tree.device();
    for (from, to) in [(1800, 800), (1600, 600)] {
        device.set_clock(megahertz(from)).unwrap();
        assert!(device.set_clock(megahertz(to)).unwrap(), "{from} to {to} was taken for done");
        assert_eq!(tree.policy0("scaling_setspeed"), (to * 1000).to_string());
        assert_eq!(device.now().frequency_khz, Some(megahertz(to)));
    }
}

#[test]
fn nothing_is_written_when_it_is_already_so() {
    let tree = Tree::of(PI);
    let mut device = tree.device();
    device.set_clock(megahertz(1000)).unwrap();
    // A file that is written changes its time of modification, whatever is written.
    let changes = || {
        let folder = tree.root().join("devices/system/cpu/cpufreq/policy0");
        ["scaling_governor", "scaling_setspeed", "scaling_min_freq", "scaling_max_freq"].map(|file| {
            let metadata = std::fs::metadata(folder.join(file)).unwrap();
            (metadata.mtime(), metadata.mtime_nsec())
        })
    };
    let before = changes();
    assert!(!device.set_clock(megahertz(1000)).unwrap());
    assert_eq!(changes(), before);
}

#[test]
fn without_a_userspace_governor_the_limits_hold_the_clock() {
    let tree = Tree::of(INTEL);
    let mut device = tree.device();
    // Lowered, raised, lowered to the end: each time the limits must not cross on the way.
    for clock in [1200, 3500, 400] {
        assert!(device.set_clock(megahertz(clock)).unwrap());
        for policy in ["policy0", "policy1"] {
            for file in ["scaling_min_freq", "scaling_max_freq"] {
                let text = tree.text(&format!("devices/system/cpu/cpufreq/{policy}/{file}"));
                assert_eq!(text, (clock * 1000).to_string(), "{policy} {file}");
            }
        }
        let report = device.now();
        assert_eq!(
            (report.frequency_khz, report.governor.as_deref()),
            (Some(megahertz(clock)), Some("powersave"))
        );
    }
}

#[test]
fn a_clock_that_is_not_there_is_refused_with_those_that_are() {
    let tree = Tree::of(PI);
    let error = tree.device().set_clock(megahertz(650)).unwrap_err();
    let fault = error.to_fault();
    assert_eq!(fault.kind, FaultKind::BadRequest);
    assert!(fault.message.contains("650 MHz") && fault.message.contains("600 MHz, 700 MHz"), "{fault}");
    assert_eq!(tree.policy0("scaling_governor"), "ondemand", "something was written");

    // Every core must take it, and the second one does not.
    let fault = Tree::of(INTEL).device().set_clock(megahertz(4000)).unwrap_err().to_fault();
    assert!(fault.message.contains("400 MHz to 3500 MHz"), "{fault}");
}

#[test]
fn a_machine_without_cpufreq_says_so() {
    let tree = Tree::of(VIRTUAL);
    let fault = tree.device().set_clock(megahertz(600)).unwrap_err().to_fault();
    assert_eq!(fault.kind, FaultKind::Unsupported);
    assert!(fault.message.contains("virtual machine"), "{fault}");
}

#[test]
fn a_setting_that_does_not_take_is_an_error() {
    // A link to /dev/null swallows what is written and reads back as nothing.
    let tree = Tree::of(PI);
    let setspeed = "devices/system/cpu/cpufreq/policy0/scaling_setspeed";
    tree.remove(setspeed);
    std::os::unix::fs::symlink("/dev/null", tree.root().join(setspeed)).unwrap();
    let error = tree.device().set_clock(megahertz(600)).unwrap_err();
    assert!(matches!(error, TunerError::NotApplied { .. }), "{error:?}");
    assert_eq!(error.to_fault().kind, FaultKind::Unsupported);
}

#[test]
fn files_that_cannot_be_written_make_the_knob_unsupported_with_the_reason() {
    let tree = Tree::of(PI);
    let governor = "devices/system/cpu/cpufreq/policy0/scaling_governor";
    // A folder cannot be opened for writing, even by root, who runs this in containers.
    tree.remove(governor);
    std::fs::create_dir(tree.root().join(governor)).unwrap();
    let report = tree.device().now();
    let KnobSupport::Unsupported(reason) = &report.knobs[0].support else { panic!("{report:?}") };
    assert!(reason.contains("scaling_governor"), "{reason}");
    assert!(report.frequencies_khz.is_empty());
}

#[test]
fn a_permission_that_lacks_is_explained() {
    let error = TunerError::Write {
        path: "/sys/x".into(),
        value: "1".to_owned(),
        source: std::io::Error::from(std::io::ErrorKind::PermissionDenied),
    };
    assert!(error.in_words().contains("docs/tuner.md"), "{}", error.in_words());
}

#[test]
fn nonsense_in_a_file_is_an_error_that_shows_it() {
    let tree = Tree::of(PI);
    tree.write("devices/system/cpu/cpufreq/policy0/scaling_available_frequencies", "600000 fast\n");
    let error = tree.device().set_clock(megahertz(600)).unwrap_err();
    assert!(error.to_string().contains("fast"), "{error}");
}

#[test]
fn of_a_span_a_few_clocks_are_offered() {
    let span = Clocks::Span { least: megahertz(400), greatest: megahertz(3500) };
    let offered: Vec<u64> = span.offered().iter().map(|clock| clock.0 / 1000).collect();
    assert_eq!(offered, [400, 1100, 1900, 2700, 3500]);
    let point = Clocks::Span { least: megahertz(400), greatest: megahertz(400) };
    assert_eq!(point.offered(), [megahertz(400)]);
}

/// Writes as the kernel takes them: limits that would cross are refused.
fn apply(mut state: PolicyState, writes: &[(&str, String)]) -> Option<PolicyState> {
    for (file, value) in writes {
        let clock = value.parse().map(KiloHertz);
        match *file {
            "scaling_governor" => {
                state.governor.clone_from(value);
                state.setspeed = Some(state.least);
            }
            "scaling_setspeed" => state.setspeed = Some(clock.unwrap()),
            "scaling_min_freq" => state.least = clock.unwrap(),
            "scaling_max_freq" => state.greatest = clock.unwrap(),
            other => panic!("{other} was written"),
        }
        if state.least > state.greatest {
            return None;
        }
    }
    Some(state)
}

proptest! {
    #[test]
    fn from_any_state_the_writes_lead_to_the_clock(
        least in 1..20_u64, width in 0..20_u64, clock in 1..40_u64, speed in 1..40_u64,
        userspace: bool, by_limits: bool,
    ) {
        let state = PolicyState {
            governor: if userspace { "userspace" } else { "ondemand" }.to_owned(),
            least: megahertz(least),
            greatest: megahertz(least + width),
            setspeed: userspace.then(|| megahertz(speed)),
        };
        // A machine that knows the userspace governor is never set by its limits.
        let way = if by_limits && !userspace { Way::Limits } else { Way::Userspace };
        let clock = megahertz(clock);
        let writes = state.writes_for(clock, way);
        prop_assert_eq!(writes.is_empty(), state.held_at() == Some(clock));
        let after = apply(state, &writes);
        prop_assert!(after.is_some(), "limits cross on the way");
        let after = after.unwrap();
        prop_assert_eq!(after.held_at(), Some(clock));
        prop_assert!(after.writes_for(clock, way).is_empty(), "not at rest");
    }
}
