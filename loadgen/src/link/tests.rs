use super::process::LinkProcess;
use super::*;

fn ms(value: f64) -> Millis {
    Millis::new(value).unwrap()
}

fn made(process: &str) -> LinkTrace {
    process.parse::<LinkProcess>().unwrap().trace(ms(600_000.0), 4).unwrap()
}

#[test]
fn a_link_is_in_the_state_that_began_last() {
    let trace = made("steps:590/2.3@0,20/40@30,1/5@60");
    let bandwidths = [0.0, 29_999.0, 30_000.0, 59_999.0, 1e9].map(|at| trace.at(ms(at)).bandwidth_mbit.get());
    assert_eq!(bandwidths, [590.0, 590.0, 20.0, 20.0, 1.0]);
    assert_eq!(trace.next_change(ms(0.0)), Some(ms(30_000.0)));
    assert_eq!(trace.next_change(ms(60_000.0)), None);
}

#[test]
fn markov_stays_as_long_as_asked_and_always_changes() {
    let trace = made("markov:590/2.3,40/20,2/120;stay_s=2");
    assert_eq!(trace, made("markov:590/2.3,40/20,2/120;stay_s=2"));
    assert!(trace.states().windows(2).all(|pair| pair[0].1 != pair[1].1));
    // 300 stays are expected; five standard deviations of a Poisson count.
    assert!((213..387).contains(&trace.states().len()), "{}", trace.states().len());
}

#[test]
fn processes_are_read_as_they_are_written() {
    for text in ["constant:590/2.3", "steps:590/2.3@0,20/40@30", "markov:590/2.3,40/20;stay_s=2"] {
        assert_eq!(text.parse::<LinkProcess>().unwrap().to_string(), text);
    }
    for text in
        ["", "constant:5", "constant:0/1", "constant:5/-1", "constant:NaN/1", "steps:5/1", "markov:5/1"]
    {
        assert!(text.parse::<LinkProcess>().is_err(), "{text}");
    }
}

#[test]
fn link_files_are_read_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("link.csv");
    let trace = made("markov:590/2.3,40/20,2/120;stay_s=2");
    trace.write(std::fs::File::create(&path).unwrap(), "a test").unwrap();
    assert_eq!(LinkTrace::read(&path).unwrap(), trace);
    std::fs::write(&path, "time,bandwidth,rtt\n10,590,2.3\n20.5,20,40\n").unwrap();
    let recorded = LinkTrace::read(&path).unwrap();
    assert_eq!(recorded.states()[0].0, ms(0.0));
    assert_eq!(recorded.at(ms(20_500.0)).rtt_ms, ms(40.0));
    std::fs::write(&path, "time_ms,bandwidth_kbit,rtt_s\n0,590,0.0023\n").unwrap();
    assert_eq!(LinkTrace::read(&path).unwrap().at(ms(0.0)).bandwidth_mbit.get(), 0.59);
}

#[test]
fn bad_link_files_are_refused_by_file_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("link.csv");
    for (text, problem) in [
        ("time,bandwidth\n0,5\n", "the column rtt or rtt_ms or rtt_s is missing"),
        ("time,bandwidth,rtt\n", "has no state of the link"),
        ("time,bandwidth_parsec,rtt\n", "column \"bandwidth_parsec\": there is no such column"),
        ("time,bandwidth,rtt\n0,0,1\n", "line 2, column \"bandwidth\": 0 is not between 0.001 and 1000000"),
        ("time,bandwidth,rtt\n0,5,NaN\n", "line 2, column \"rtt\": NaN is not between 0 and 60000"),
        ("time,bandwidth,rtt\n0,5,1\n0,6,1\n", "line 3, column \"time\": it does not come after"),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = LinkTrace::read(&path).unwrap_err().to_string();
        assert!(error.contains(problem) && error.contains("link.csv"), "{text:?}: {error}");
    }
}
