use std::borrow::Cow;

use schemas::{Cut, FaultKind, LimitKind, Millis, PolicyName, Share, UnixMillis};

use super::{Term, read};
use crate::admission::{Asked, Wishes};

fn of(texts: &[(Term, &'static str)]) -> impl Fn(Term) -> Option<Cow<'static, str>> {
    let texts = texts.to_vec();
    move |term| texts.iter().find(|(named, _)| *named == term).map(|(_, text)| Cow::Borrowed(*text))
}

#[test]
fn terms_are_read_from_texts() {
    let texts = [
        (Term::LatencyMs, " 200.5 "),
        (Term::Limit, "hard"),
        (Term::EnergyWeight, "0.25"),
        (Term::AccuracyFloor, "0.7"),
        (Term::LeastCut, "3"),
        (Term::Deadline, "1800000000000"),
        (Term::Policy, "edge"),
    ];
    assert_eq!(texts.map(|(term, _)| term), Term::ALL, "one of each");
    let share = |value| Some(Share::new(value).unwrap());
    let expected = Asked {
        qos: Wishes {
            latency_ms: Some(Millis::new(200.5).unwrap()),
            limit: Some(LimitKind::Hard),
            energy_weight: share(0.25),
            accuracy_floor: share(0.7),
            least_cut: Some(Cut(3)),
        },
        policy: Some(PolicyName::Edge),
        deadline: Some(UnixMillis(1_800_000_000_000)),
    };
    assert_eq!(read(of(&texts)).unwrap(), expected);
    assert_eq!(read(of(&[])).unwrap(), Asked::default());
}

#[test]
fn texts_that_are_no_terms_are_refused_by_name() {
    let cases = [
        (Term::LatencyMs, "fast", "latency_ms \"fast\" is not a number of milliseconds"),
        (Term::LatencyMs, "-5", "above 0"),
        (Term::LatencyMs, "NaN", "above 0"),
        (Term::LatencyMs, "inf", "above 0"),
        (Term::Limit, "firm", "limit \"firm\" is not soft or hard"),
        (Term::EnergyWeight, "2", "energy_weight \"2\" is not a number from 0 to 1"),
        (Term::AccuracyFloor, "70%", "accuracy_floor \"70%\" is not a number from 0 to 1"),
        (Term::LeastCut, "70000", "least_cut \"70000\" is not the number of a cut"),
        (Term::LeastCut, "-1", "the number of a cut"),
        (Term::Deadline, "tomorrow", "unix milliseconds"),
        (Term::Deadline, "-1", "unix milliseconds"),
        (Term::Policy, "best", "use adaptive, dynasplit, cloud"),
    ];
    for (term, text, expected) in cases {
        let fault = read(of(&[(term, text)])).unwrap_err();
        assert_eq!(fault.kind, FaultKind::BadRequest);
        assert!(fault.message.contains(expected), "{}", fault.message);
    }
}
