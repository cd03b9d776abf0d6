use super::*;

fn request(at: Option<f64>, query: u64) -> TraceRequest {
    TraceRequest {
        at: at.map(|at| Millis::new(at).unwrap()),
        query,
        model: Arc::new(ModelName::new("m").unwrap()),
        tenant: None,
        qos: Qos::within(Millis::new(10.0).unwrap()),
    }
}

#[test]
fn what_is_no_trace_is_refused_and_says_where() {
    let cases = [
        (vec![], "no request"),
        (vec![request(Some(5.0), 0), request(Some(4.0), 1)], "request 2: 4 ms comes before"),
        (vec![request(None, 0), request(Some(4.0), 1)], "request 2: either all"),
        (vec![request(None, 0), request(None, 2), request(None, 1)], "request 3: query 1"),
        (vec![request(Some(1.0), 0), request(Some(2.0), 0)], "another time"),
    ];
    for (requests, problem) in cases {
        let error = Trace::new(requests).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn a_trace_is_open_where_its_requests_have_times() {
    let open = Trace::new(vec![request(Some(1.0), 0), request(Some(5.0), 1)]).unwrap();
    let closed = Trace::new(vec![request(None, 0), request(None, 0)]).unwrap();
    assert_eq!((open.pacing(), open.duration()), (Loop::Open, Millis::new(5.0).ok()));
    assert_eq!((closed.pacing(), closed.duration()), (Loop::Closed, None));
    assert_eq!(open.clone().faster(5.0).duration(), Millis::new(1.0).ok());
    assert_eq!(closed.clone().faster(5.0), closed);
}

#[test]
fn a_summary_counts_queries_and_rates() {
    let mut requests = vec![request(Some(0.0), 0), request(Some(0.0), 0), request(Some(2000.0), 1)];
    requests[1].qos.limit = schemas::LimitKind::Hard;
    let summary = Trace::new(requests).unwrap().summary();
    assert_eq!((summary.requests, summary.queries, summary.rate), (3, 2, Some(1.5)));
    assert_eq!(summary.hard_limits, 1);
    assert_eq!(summary.models[0].median_ms, Millis::new(10.0).unwrap());
}
