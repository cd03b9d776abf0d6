//! What the default strategy finds with few measurements.

use optimizer::Settings;
use schemas::{Configuration, Measurement, OptimizeRequest, SearchWishes, Share};

use crate::site::{Site, grid, no_trouble, request};

/// Searches of which one must be as it should: what else this machine does may spoil any of them.
const SEARCHES: u32 = 3;

/// Whether a front has a point that is as good as a measurement, as far as both are known: nowhere worse by more than the
/// two intervals together, and by a per cent of the joules.
fn covers(points: &[&Measurement], one: &Measurement) -> bool {
    points.iter().any(|point| {
        let (point_low, one_high) = (point.uncertainty.unwrap().low_ms, one.uncertainty.unwrap().high_ms);
        let (point_j, one_j) = (point.joules().unwrap().get(), one.joules().unwrap().get());
        let accuracy = |of: &Measurement| of.accuracy.unwrap().share;
        point_low <= one_high && point_j <= one_j * 1.01 && accuracy(point) >= accuracy(one)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn no_baseline_that_is_measured_afterwards_beats_the_front() -> anyhow::Result<()> {
    let mut beaten = Vec::new();
    for _ in 0..SEARCHES {
        match search_and_compare().await? {
            None => return Ok(()),
            Some(by) => beaten.push(by),
        }
    }
    anyhow::bail!("{beaten:#?}")
}

/// What beats a front's points, all measured again after the search under what else this machine does then: every static choice there
/// is, one configuration for all requests.
async fn search_and_compare() -> anyhow::Result<Option<String>> {
    let site = Site::start(Settings::default(), no_trouble()).await?;
    let search = SearchWishes { budget: Some(Share::new(0.8)?), ..SearchWishes::default() };
    let reply = site.measure(&OptimizeRequest { search, most_samples: Some(6), ..request(3) }).await.unwrap();
    assert!(reply.measurements.len() <= 8, "{}", reply.measurements.len());
    let front = reply.front;
    let chosen: Vec<Configuration> =
        front.points.iter().chain(&front.tied).map(|point| point.configuration).collect();
    let afterwards = site.measure(&grid(4)).await.unwrap();
    assert_eq!(afterwards.measurements.len(), 10);
    let of_front = |one: &&Measurement| chosen.contains(&one.configuration);
    let points: Vec<&Measurement> = afterwards.measurements.iter().filter(of_front).collect();
    let better = afterwards.measurements.iter().find(|one| !covers(&points, one));
    Ok(better.map(|better| format!("{} beats {points:#?}", better.configuration)))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_expected_is_kept_beside_what_was_found() -> anyhow::Result<()> {
    let site = Site::start(Settings::default(), no_trouble()).await?;
    let reply = site.measure(&request(3)).await.unwrap();
    let front = &reply.front;
    let search = front.search.clone().unwrap();
    assert_eq!((search.strategy.as_str(), search.legal, search.quantile), ("greybox", 10, Share::new(0.95)?));
    let expected = |one: &&Measurement| one.provenance.as_ref().unwrap().expected.is_some();
    assert!(reply.measurements.iter().filter(expected).count() > 0);
    assert!(reply.measurements.iter().all(|one| one.uncertainty.is_some()));
    Ok(())
}
