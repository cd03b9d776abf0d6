//! A decision allocates nothing. A target of its own, because it counts the allocations of the whole process.
#![allow(clippy::unwrap_used, missing_docs)]

use peak_alloc::PeakAlloc;
use policy::{AdaptiveSettings, CloudExecutor, Comparison, PreparedFront, State};
use schemas::{InstanceId, LimitKind, Millis, PolicyName, Qos, Regret, Share};

#[path = "it/fronts.rs"]
#[allow(dead_code, reason = "only some of it is used here")]
mod fronts;

use fronts::{LAST, front, limit, measurement};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

#[test]
fn deciding_committing_and_shadowing_allocate_nothing() {
    let point = |cut: u16| {
        measurement("p", cut % LAST.0, 100.0 + f64::from(cut), Some(300.0 - f64::from(cut)), Some(0.7))
    };
    let prepared = PreparedFront::new(&front((0..100).map(point).collect()));
    let mut state = State::new(&prepared, AdaptiveSettings::default());
    state.set_clouds((0..3).map(|n| CloudExecutor::new(InstanceId::new(format!("c{n}")).unwrap(), n, true)));
    let mut regret = Regret::default();
    let asked = [
        limit(50.0),
        limit(150.0),
        Qos { limit: LimitKind::Hard, ..limit(50.0) },
        Qos { energy_weight: Some(Share::saturating(0.5)), ..limit(500.0) },
        Qos { accuracy_floor: Some(Share::saturating(0.9)), ..limit(500.0) },
    ];
    // The test's harness has threads of its own that may allocate meanwhile; what a decision allocates, it does each time.
    let grown = (0..20).map(|_| {
        let before = ALLOCATOR.current_usage();
        ALLOCATOR.reset_peak_usage();
        decide_all(&prepared, &mut state, &asked, &mut regret);
        (ALLOCATOR.current_usage().abs_diff(before), ALLOCATOR.peak_usage().saturating_sub(before))
    });
    assert_eq!(grown.min(), Some((0, 0)));
    assert_eq!(regret.asked, 20 * 100 * 5 * 6);
}

fn decide_all(prepared: &PreparedFront, state: &mut State, asked: &[Qos], regret: &mut Regret) {
    for round in 0..100 {
        let now = Millis::saturating(f64::from(round) * 700.0);
        for qos in asked {
            for policy in PolicyName::ALL {
                let decided = prepared.decide(policy, qos, state, now);
                Comparison::new(PolicyName::Dynasplit, &decided, qos, (prepared, &*state, now)).count(regret);
                if let Ok(decision) = decided {
                    state.commit(prepared, &decision, now);
                }
            }
        }
    }
}
