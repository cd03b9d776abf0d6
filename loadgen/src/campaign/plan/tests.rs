use std::collections::BTreeMap;

use proptest::prelude::{ProptestConfig, prop_assert, prop_assert_eq, proptest};
use schemas::{Millis, ModelName, Qos};
use std::sync::Arc;

use super::*;
use crate::trace::TraceRequest;

fn trace(queries: &[usize]) -> Trace {
    let model = Arc::new(ModelName::new("net").unwrap());
    let mut requests = Vec::new();
    for (query, &size) in (0..).zip(queries) {
        requests.extend((0..size).map(|_| TraceRequest {
            at: None,
            query,
            model: model.clone(),
            tenant: None,
            qos: Qos::within(Millis::new(100.0).unwrap()),
        }));
    }
    Trace::new(requests).unwrap()
}

fn campaign(seed: u64) -> Campaign {
    let text = format!(
        "seed = {seed}\nrounds = 3\nblock_requests = 10\npolicies = [\"adaptive\", \"cloud\", \"edge\"]\n\
         [[models]]\nname = \"net\"\n[[traces]]\nname = \"a\"\nfile = \"a\"\n[[traces]]\nname = \"b\"\nfile = \"b\"\n\
         [[links]]\nname = \"x\"\nfile = \"x\"\n[[links]]\nname = \"y\"\nfile = \"y\"\n"
    );
    Campaign::parse(&text).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn blocks_hold_every_request_once_and_no_query_is_cut(
        queries in proptest::collection::vec(1_usize..6, 1..60),
        most in 1_usize..30,
    ) {
        let trace = trace(&queries);
        let blocks = blocks(&trace, most);
        let mut next = 0;
        for block in &blocks {
            prop_assert_eq!(block.start, next);
            prop_assert!(!block.is_empty() && block.len() < most + 6);
            next = block.end;
            if let Some(after) = trace.requests().get(next) {
                prop_assert!(after.query != trace.requests()[next - 1].query);
            }
        }
        prop_assert_eq!(next, trace.requests().len());
    }

    #[test]
    fn every_block_is_sent_under_every_policy_before_the_next_one(seed in 0_u64..1_000) {
        let traces = [trace(&[1; 25]), trace(&[1; 7])];
        let campaign = campaign(seed);
        let plan = Plan::new(&campaign, &traces, Driven::Live);
        // 3 rounds × 2 links × (3 blocks + 1 block) × 3 policies.
        prop_assert_eq!(plan.runs().len(), 3 * 2 * 4 * 3);
        prop_assert_eq!(plan.requests(), 3 * 2 * 32 * 3);
        for block in plan.runs().chunks(3) {
            let mut policies: Vec<_> = block.iter().map(|run| run.key.policy.as_str()).collect();
            policies.sort_unstable();
            prop_assert_eq!(policies, ["adaptive", "cloud", "edge"]);
            prop_assert!(block.iter().all(|run| run.requests == block[0].requests && run.link == block[0].link));
        }
        let numbers: Vec<u32> = plan.runs().iter().map(|run| run.key.run).collect();
        prop_assert_eq!(numbers, (0..72).collect::<Vec<_>>());
        prop_assert_eq!(Plan::new(&campaign, &traces, Driven::Live), plan);
    }
}

#[test]
fn no_policy_has_a_place_of_its_own() {
    let traces = [trace(&[1; 2_000]), trace(&[1; 2_000])];
    let plan = Plan::new(&campaign(1), &traces, Driven::Live);
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    for block in plan.runs().chunks(3) {
        *first.entry(block[0].key.policy.as_str()).or_default() += 1;
    }
    // 2400 blocks: 800 expected of each, five standard deviations of a binomial count are 115.
    assert_eq!(first.values().sum::<usize>(), 2_400);
    assert!(first.values().all(|count| (685..915).contains(count)), "{first:?}");
}

#[test]
fn a_simulated_run_is_a_whole_trace() {
    let traces = [trace(&[1; 25]), trace(&[1; 7])];
    let plan = Plan::new(&campaign(1), &traces, Driven::Simulator);
    assert_eq!(plan.runs().len(), 3 * 2 * 2 * 3);
    assert!(plan.runs().iter().all(|run| run.requests == (0..traces[run.trace].requests().len())));
}
