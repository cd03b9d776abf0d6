//! Wherever the network is cut, its output is the whole network's.

use schemas::{ByteCount, Cut, Place, Stage, StageTime};

use crate::site::{Site, picture};

fn places(stages: &[StageTime], stage: Stage) -> Vec<Place> {
    stages.iter().filter(|one| one.stage == stage).map(|one| one.place).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cut_gives_the_whole_networks_output() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let (_edge, _cloud) = (site.edge().await?, site.cloud().await?);
    let last = site.network.last_cut().0;
    for cut in 0..=last {
        let picture = picture(u64::from(cut));
        let reply = site.classify(cut, &picture).await;
        // The same operators on the same values, in the same order: no bit may differ.
        assert_eq!(reply.output, site.whole(&picture), "cut {cut}");
        assert_eq!((reply.configuration.cut, reply.fallback), (Cut(cut), None));
        let in_cloud = cut != last;
        assert_eq!(reply.cloud.map(|cloud| cloud.to_string()), in_cloud.then(|| "cloud".to_owned()));
        assert_eq!(reply.sent_bytes > ByteCount(0), in_cloud, "cut {cut}");
        let preprocessed_at = if cut == 0 { Place::Cloud } else { Place::Edge };
        assert_eq!(places(&reply.stages, Stage::Preprocess), [preprocessed_at], "cut {cut}");
        assert_eq!(places(&reply.stages, Stage::Head).is_empty(), cut == 0, "cut {cut}");
        assert_eq!(places(&reply.stages, Stage::Tail).is_empty(), !in_cloud, "cut {cut}");
        assert_eq!(places(&reply.stages, Stage::Transfer).is_empty(), !in_cloud, "cut {cut}");
    }
    Ok(())
}
