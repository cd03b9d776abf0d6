//! What the default strategy finds with few measurements.

use optimizer::Settings;
use schemas::{Configuration, Measurement, Millis, OptimizeReply, OptimizeRequest, SearchWishes, Share};

use crate::site::{Site, grid, no_trouble, request, truth};

const SEARCHES: u32 = 10;

/// What took so much longer was held up. The latencies of any two configurations at one clock differ by twice as much.
const DISTURBED_MS: f64 = 5.0;

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

/// A search in which every latency came out about as it is. Where this machine was too busy with other things, what was measured says
/// nothing of the search, and another is made.
async fn undisturbed_search() -> anyhow::Result<(Site, OptimizeReply)> {
    for _ in 0..SEARCHES {
        let site = Site::start(Settings::default(), no_trouble()).await?;
        let search = SearchWishes { budget: Some(Share::new(0.8)?), ..SearchWishes::default() };
        let request = OptimizeRequest { search, most_samples: Some(6), ..request(3) };
        let reply = site.measure(&request).await.map_err(|fault| anyhow::anyhow!("{fault}"))?;
        let is_off = |one: &Measurement| {
            one.latency.p95_ms.get() > Millis::from(truth(&one.configuration).0).get() + DISTURBED_MS
        };
        if !reply.measurements.iter().any(is_off) {
            return Ok((site, reply));
        }
    }
    anyhow::bail!("this machine was too busy in each of {SEARCHES} searches to tell")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_baseline_that_is_measured_afterwards_beats_the_front() -> anyhow::Result<()> {
    let (site, reply) = undisturbed_search().await?;
    assert!(reply.measurements.len() <= 8, "{}", reply.measurements.len());
    let front = reply.front;
    let chosen: Vec<Configuration> =
        front.points.iter().chain(&front.tied).map(|point| point.configuration).collect();
    // Every static choice there is, those of the front among them: one configuration for all requests. All are measured under
    // what else this machine does now, which may be more or less than while the front was searched.
    let afterwards = site.measure(&grid(4)).await.unwrap();
    assert_eq!(afterwards.measurements.len(), 10);
    let of_front = |one: &&Measurement| chosen.contains(&one.configuration);
    let points: Vec<&Measurement> = afterwards.measurements.iter().filter(of_front).collect();
    for baseline in &afterwards.measurements {
        assert!(covers(&points, baseline), "{} beats {points:#?}", baseline.configuration);
    }
    Ok(())
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
