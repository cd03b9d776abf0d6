use schemas::{NodeId, RequestId};

use super::*;

fn receipt() -> Receipt {
    Receipt {
        qos: Some(Qos::within(Millis::new(80.0).unwrap())),
        ..Receipt::opened(
            RequestId::fresh(),
            ModelName::new("net").unwrap(),
            NodeId::new("site").unwrap(),
            UnixMillis(1_700_000_000_000),
        )
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_that_names_the_file_and_loses_nothing() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("traffic.csv");
    let mut capture = Capture::begin(&path).unwrap();
    capture.add(&receipt()).unwrap();
    let good =
        std::mem::replace(&mut capture.file, OpenOptions::new().write(true).open("/dev/full").unwrap());
    let error = capture.add(&receipt()).unwrap_err();
    assert!(error.to_string().contains("traffic.csv.partial"), "{error}");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("No space left"), "{source}");
    assert_eq!(capture.len(), 1);
    drop((capture, good));
    assert_eq!(CutOff::find(&path).unwrap().trace().unwrap().requests().len(), 1);
}

#[test]
fn one_recorder_at_a_time_and_none_over_what_another_left() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("traffic.csv");
    let capture = Capture::begin(&path).unwrap();
    for taken in [Capture::begin(&path).map(drop), CutOff::find(&path).map(drop)] {
        assert!(matches!(taken, Err(LoadgenError::RecordingGoesOn(_))), "{taken:?}");
    }
    drop(capture);
    assert!(matches!(Capture::begin(&path), Err(LoadgenError::RecordingCutOff { .. })));
    assert!(matches!(Trace::read(&partial(&path)), Err(LoadgenError::RecordingCutOff { .. })));
    let left = CutOff::find(&path).unwrap();
    assert!(matches!(left.trace(), Err(LoadgenError::Empty { .. })));
    left.remove().unwrap();
    Capture::begin(&path).unwrap();
}
