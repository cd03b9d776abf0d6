use super::*;

fn name(text: &str) -> ModelName {
    ModelName::new(text).unwrap()
}

fn mixed() -> Recipe {
    Recipe {
        models: Mix::new(vec![(name("a"), 3.0), (name("b"), 1.0)]).unwrap(),
        tenants: Mix::new(vec![("camera".parse().unwrap(), 1.0), ("person".parse().unwrap(), 1.0)]),
        arrivals: "poisson:20".parse().unwrap(),
        limits: "weibull:10..100".parse().unwrap(),
        limits_of: BTreeMap::from([("camera".to_owned(), "constant:7".parse().unwrap())]),
        requests: 4_000,
        seed: 1,
    }
}

#[test]
fn the_same_seed_gives_the_same_trace_and_another_one_another() {
    let recipe = mixed();
    assert_eq!(recipe.trace().unwrap(), recipe.trace().unwrap());
    assert_ne!(recipe.trace().unwrap(), Recipe { seed: 2, ..mixed() }.trace().unwrap());
}

#[test]
fn the_stream_of_a_seed_never_changes() {
    let recipe = Recipe { requests: 3, ..Recipe::sequential(&name("a"), "lognormal:100".parse().unwrap()) };
    let limits = |recipe: &Recipe| -> Vec<String> {
        let requests = recipe.requests().unwrap();
        requests.map(|request| format!("{:.9}", request.qos.latency_ms.get())).collect()
    };
    assert_eq!(limits(&recipe), ["155.904972645", "92.874047929", "137.609338631"]);
}

#[test]
fn mixes_have_their_shares_and_limits_their_owners() {
    let trace = mixed().trace().unwrap();
    let share = |wanted: &dyn Fn(&TraceRequest) -> bool| {
        trace.requests().iter().filter(|request| wanted(request)).count() as f64 / 4_000.0
    };
    assert!((share(&|request| request.model.as_str() == "a") - 0.75).abs() < 0.03);
    let of_camera = |request: &TraceRequest| request.tenant.as_ref().unwrap().to_string() == "camera";
    assert!((share(&of_camera) - 0.5).abs() < 0.03);
    for request in trace.requests() {
        let limit = request.qos.latency_ms.get();
        assert_eq!(of_camera(request), limit == 7.0);
    }
    for model in trace.summary().models {
        assert!((model.greatest_ms.get() - 100.0).abs() < 1e-9);
    }
}

#[test]
fn other_arrivals_change_no_limit() {
    let limits = |arrivals: &str| -> Vec<Millis> {
        let recipe = Recipe { arrivals: arrivals.parse().unwrap(), ..mixed() };
        recipe.requests().unwrap().map(|request| request.qos.latency_ms).collect()
    };
    assert_eq!(limits("poisson:20"), limits("offline"));
}

#[test]
fn more_than_a_trace_holds_is_refused() {
    let recipe = Recipe { requests: MOST_REQUESTS + 1, ..mixed() };
    assert!(recipe.trace().unwrap_err().to_string().contains("more than a trace holds"));
    assert_eq!(recipe.requests().unwrap().size_hint().0, 10_000_001);
}
