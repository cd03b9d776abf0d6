use super::*;

const WHOLE: &str = r#"
seed = 3
policies = ["adaptive", "cloud"]

[[models]]
name = "net"
images = "pictures"
pool = "pool.csv"

[[traces]]
name = "drawn"
requests = 10
arrivals = "poisson:5"
limits = "constant:100"

[[traces]]
name = "kept"
file = "trace.csv"

[[links]]
name = "slow"
process = "markov:590/2.3,20/40;stay_s=30"
"#;

#[test]
fn a_campaign_is_read_as_it_is_written() {
    let campaign = Campaign::parse(WHOLE).unwrap();
    assert_eq!(
        (campaign.rounds.get(), campaign.block_requests.get(), campaign.live.warm_up_requests),
        (1, 50, 2)
    );
    let text = toml::to_string(&campaign).unwrap();
    assert_eq!(Campaign::parse(&text).unwrap(), campaign, "{text}");
    campaign.check(Driven::Live).unwrap();
    campaign.check(Driven::Simulator).unwrap();
}

#[test]
fn paths_are_relative_to_the_file() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("campaign.toml");
    std::fs::write(&path, WHOLE).unwrap();
    let campaign = Campaign::read(&path, Driven::Live).unwrap();
    assert_eq!(campaign.traces[1].file, Some(place.path().join("trace.csv")));
    assert_eq!(campaign.models[0].images, Some(place.path().join("pictures")));
}

#[test]
fn what_cannot_be_done_is_refused_by_line_or_key() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("campaign.toml");
    for (from, to, problem) in [
        ("seed = 3", "seed = ", "line 2, column 8: "),
        ("\"cloud\"]", "\"fast\"]", "line 3, column "),
        ("\"cloud\"]", "\"oracle\"]", "policy oracle knows every outcome beforehand"),
        ("\"cloud\"]", "\"adaptive\"]", "policies: adaptive is there twice"),
        ("[\"adaptive\", \"cloud\"]", "[]", "policies is empty"),
        ("seed = 3", "sead = 3", "line 2, column 1: unknown field `sead`"),
        ("poisson:5", "poisson:-5", "line 13, column 12: "),
        ("constant:100", "constant:NaN", "line 14, column 10: "),
        ("stay_s=30", "stay_s=0", "line 22, column 11: "),
        ("name = \"net\"", "name = \"a net\"", "line 6, column 8: "),
        ("pool = \"pool.csv\"", "", "models.net needs a pool or a front for the simulator"),
        ("requests = 10", "requests = 0", "traces.drawn.requests is 0: use 1 to 10000000"),
        ("requests = 10", "requests = 99999999999", "traces.drawn.requests is 99999999999: use 1 to"),
        ("requests = 10", "", "traces.drawn needs a file, or requests and limits"),
        ("file = \"trace.csv\"", "file = \"trace.csv\"\nrequests = 3", "traces.kept has a file"),
        ("name = \"kept\"", "name = \"drawn\"", "traces: drawn is there twice"),
        ("arrivals = \"poisson:5\"", "arrivals = \"recorded:x.csv\"", "name the recorded trace as its file"),
        ("seed = 3", "seed = 3\nrounds = 0", "line 3, column 10: "),
        ("seed = 3", "seed = 3\nrounds = 20000", "rounds is 20000: use 1 to 10000"),
        ("[[links]]", "[simulator]\nbatch_cost = 3\n[[links]]", "simulator.batch_cost is 3: use 0 to 1"),
        ("[[links]]", "[simulator]\nclock_change_ms = nan\n[[links]]", "simulator.clock_change_ms is NaN"),
    ] {
        let text = WHOLE.replacen(from, to, 1);
        assert_ne!(text, WHOLE, "{from}");
        std::fs::write(&path, &text).unwrap();
        let error = Campaign::read(&path, Driven::Simulator).unwrap_err().to_string();
        assert!(error.contains(problem) && error.contains("campaign.toml"), "{to:?}: {error}");
        assert!(!error.contains('\n'), "{error}");
    }
    let text = WHOLE.replacen("images = \"pictures\"", "", 1);
    std::fs::write(&path, text).unwrap();
    let error = Campaign::read(&path, Driven::Live).unwrap_err().to_string();
    assert!(error.contains("models.net has no images"), "{error}");
}
