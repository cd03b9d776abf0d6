//! Released bytes: committed under `fixtures/v1`, never edited, decoded for ever.
//!
//! `BLESS=1 cargo test -p schemas` writes the fixture of a message that has none yet.

use std::fs;
use std::path::PathBuf;

use crate::samples;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/v1").join(format!("{name}.msgpack"))
}

/// The committed bytes; a missing file is written when `BLESS` is set and fails the test otherwise.
fn committed(name: &str, current: &[u8]) -> Vec<u8> {
    let path = fixture(name);
    if !path.exists() && std::env::var_os("BLESS").is_some() {
        fs::write(&path, current).unwrap();
    }
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; write it with BLESS=1", path.display()))
}

macro_rules! fixtures {
    ($($name:ident: $type:ty),* $(,)?) => {
        $(#[test]
        fn $name() {
            let sample: $type = samples::$name();
            let encoded = schemas::encode(&sample).unwrap();
            let released = committed(stringify!($name), &encoded);
            let decoded: $type = schemas::decode(&released).unwrap();
            assert_eq!(decoded, sample, "released bytes mean something else now");
        })*

        #[test]
        fn every_committed_fixture_is_tested() {
            let tested = [$(stringify!($name)),*];
            for entry in fs::read_dir(fixture("x").parent().unwrap()).unwrap() {
                let name = entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned();
                assert!(tested.contains(&name.as_str()), "no test decodes {name}");
            }
        }
    };
}

fixtures! {
    tensor: schemas::Tensor<'_>,
    infer_request: schemas::InferRequest<'_>,
    infer_reply: schemas::InferReply,
    plan_request: schemas::PlanRequest,
    plan: schemas::Plan,
    execute_request: schemas::ExecuteRequest<'_>,
    execute_reply: schemas::ExecuteReply<'_>,
    tail_request: schemas::TailRequest<'_>,
    tail_request_with_input: schemas::TailRequest<'_>,
    tail_request_encoded: schemas::TailRequest<'_>,
    execute_request_with_profile: schemas::ExecuteRequest<'_>,
    execute_reply_with_profiles: schemas::ExecuteReply<'_>,
    tail_request_with_profile: schemas::TailRequest<'_>,
    tail_reply_with_profile: schemas::TailReply<'_>,
    model_description_with_pruning: schemas::ModelDescription,
    measurement_with_provenance: schemas::Measurement,
    front_of_a_search: schemas::Front,
    front_with_content: schemas::Front,
    optimize_request_with_wishes: schemas::OptimizeRequest<'_>,
    optimize_reply_with_notes: schemas::OptimizeReply,
    execute_request_with_codec: schemas::ExecuteRequest<'_>,
    tail_reply: schemas::TailReply<'_>,
    fault: schemas::Fault,
    fault_infeasible: schemas::Fault,
    infer_reply_with_reason: schemas::InferReply,
    plan_request_hard: schemas::PlanRequest,
    plan_explored: schemas::Plan,
    receipt_with_reason: schemas::Receipt,
    model_description: schemas::ModelDescription,
    tune_request: schemas::TuneRequest,
    tune_reply: schemas::TuneReply,
    presence: schemas::Presence,
    measurement: schemas::Measurement,
    front: schemas::Front,
    front_with_withheld_codecs: schemas::Front,
    front_with_hardware_changes: schemas::Front,
    optimize_request: schemas::OptimizeRequest<'_>,
    optimize_progress: schemas::OptimizeProgress,
    optimize_reply: schemas::OptimizeReply,
    receipt: schemas::Receipt,
    execute_reply_with_breakdown: schemas::ExecuteReply<'_>,
    tail_reply_with_breakdown: schemas::TailReply<'_>,
    receipt_with_breakdown: schemas::Receipt,
    tune_request_apply: schemas::TuneRequest,
    tune_request_release: schemas::TuneRequest,
    tune_reply_with_lease: schemas::TuneReply,
    link_request: schemas::LinkRequest,
    link_reply: schemas::LinkReply,
    policy_choice: schemas::PolicyChoice,
    scheduler_report: schemas::SchedulerReport,
    scheduler_report_with_samples: schemas::SchedulerReport,
    metrics_snapshot: schemas::MetricsSnapshot,
}
