use crate::program::{Place, run};
use crate::responder::{Behaviour, Responder};

/// One line that says what is wrong, the exit code, and nothing made.
#[tokio::test]
async fn bad_input_is_one_line_and_leaves_nothing() {
    let (place, responder) = (Place::new(), Responder::start(Behaviour::default()).await);
    let url = responder.url();
    place.file("good.csv", "limit_ms,model\n100,net\n");
    place.file("other.csv", "limit_ms,model\n100,other\n");
    place.file("columns.csv", "limit_ms\n100\n");
    place.file("nan.csv", "limit_ms,model\n100,net\nNaN,net\n");
    place.file("negative.csv", "limit_ms,model\n-5,net\n");
    place.file("enormous.csv", "limit_ms,model\n1e300,net\n");
    place.file("unsorted.csv", "at_ms,limit_ms,model\n9,100,net\n5,100,net\n");
    place.file("empty.csv", "limit_ms,model\n");
    place.file("version.csv", "# splinter trace 9\nlimit_ms,model\n");
    place.file(
        "campaign.toml",
        "[[models]]\nname = \"net\"\nimages = \"pictures\"\n[[traces]]\nname = \"t\"\nfile = \"nan.csv\"\n",
    );
    place.file("elsewhere.toml", "[[models]]\nname = \"other\"\nimages = \"pictures\"\n[[traces]]\nname = \"t\"\nfile = \"good.csv\"\n");
    place.file("typed.toml", "seed = 1\n[[models]]\nname = 5\n");
    place.file(
        "front.toml",
        "policies = [\"cloud\"]\n[[models]]\nname = \"net\"\nfront = \"front.json\"\n[[traces]]\nname = \"t\"\nfile = \"good.csv\"\n",
    );
    place.file("front.json", "{\n\"id\": 7}");
    std::fs::create_dir(place.path("old")).unwrap();
    place.file("old/manifest.json", "{\"results_version\": 0}");
    let replay = |trace: &'static str| vec!["replay", trace, "--images", "pictures", "-o", "new"];
    let with = |mut arguments: Vec<&'static str>, more: &[&'static str]| {
        arguments.extend(more);
        arguments
    };
    let evaluate = |campaign: &'static str| vec!["evaluate", campaign, "-o", "new"];
    for (arguments, code, problem) in [
        (replay("missing.csv"), 1, "cannot read missing.csv: No such file"),
        (replay("columns.csv"), 1, "columns.csv, line 1: the column model is missing"),
        (
            replay("nan.csv"),
            1,
            "nan.csv, line 3, column \"limit_ms\": NaN is not above 0 and at most 31536000000",
        ),
        (replay("negative.csv"), 1, "negative.csv, line 2, column \"limit_ms\": -5 is not above 0"),
        (replay("enormous.csv"), 1, "enormous.csv, line 2, column \"limit_ms\": 1e300 is not above 0"),
        (replay("unsorted.csv"), 1, "unsorted.csv, line 3, column \"at_ms\": 5 ms comes before the 9 ms"),
        (replay("empty.csv"), 1, "empty.csv has no request"),
        (replay("version.csv"), 1, "version.csv is a trace of version 9, this loadgen reads version 1"),
        (replay("other.csv"), 1, "no edge executor serves other: there are net"),
        (with(replay("good.csv"), &["--policy", "fast"]), 2, "there is no policy \"fast\""),
        (with(replay("good.csv"), &["--policy", "oracle"]), 2, "no scheduler has the policy oracle"),
        (with(replay("good.csv"), &["--require", "within=1"]), 2, "\"within=1\" is no requirement"),
        (with(replay("good.csv"), &["--in-flight", "0"]), 2, "use 1 to 4096"),
        (with(replay("good.csv"), &["--images", "net=none"]), 1, "cannot read none: No such file"),
        (
            vec!["replay", "good.csv", "--images", "pictures", "-o", "old", "--resume"],
            1,
            "old is a results folder of version 0, this loadgen reads version 1",
        ),
        (
            vec!["replay", "good.csv", "--images", "pictures", "-o", "pictures", "--resume"],
            1,
            "pictures is no results folder: it has no manifest.json",
        ),
        (vec!["replay", "good.csv", "--images", "pictures", "-o", "old"], 1, "old is there already"),
        (evaluate("campaign.toml"), 1, "nan.csv, line 3, column \"limit_ms\": NaN is not above 0"),
        (evaluate("elsewhere.toml"), 1, "no edge executor serves other: there are net"),
        (evaluate("typed.toml"), 64, "typed.toml, line 3, column 8: "),
        (with(evaluate("campaign.toml"), &["--on", "simulator"]), 64, "models.net needs a pool or a front"),
        (with(evaluate("front.toml"), &["--on", "simulator"]), 1, "front.json, line 2, column "),
        (with(evaluate("campaign.toml"), &["--on", "mars"]), 2, "invalid value 'mars'"),
        (vec!["record", "-o", "good.csv"], 1, "good.csv is there already"),
    ] {
        let mut called = arguments.clone();
        called.extend(["--broker", &url]);
        let (found, out, err) = run(&place, &called).await;
        assert_eq!(found, code, "{arguments:?}: {err}");
        assert!(err.contains(problem), "{arguments:?}: {err}");
        assert!(code == 2 || err.trim_end().lines().count() == 1, "{arguments:?}: {err}");
        assert_eq!(out, "", "{arguments:?}");
        assert!(!place.path("new").exists(), "{arguments:?} left something");
    }
    assert!(responder.seen.lock().unwrap().is_empty(), "nothing was sent");
    let (code, _, err) =
        run(&place, &["replay", "good.csv", "--images", "pictures", "-o", "new", "--http", "ftp://x"]).await;
    assert_eq!((code, place.path("new").exists()), (1, false));
    assert!(err.contains("\"ftp://x\" is no address of a gateway"), "{err}");
}
