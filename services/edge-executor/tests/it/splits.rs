//! Wherever the network is cut, its output is the whole network's.

use schemas::{ByteCount, Cut, ExecuteRequest, Input, LayerProfile, Millis, Place, Stage, StageTime};

use crate::site::{PATIENCE, Site, picture, request};

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

/// What the layers took, of the stage that they are.
fn share_of_stage(profile: &LayerProfile, stages: &[StageTime], stage: Stage) -> f64 {
    let layers: Millis = profile.times_ms.iter().copied().sum();
    let whole: Millis = stages.iter().filter(|one| one.stage == stage).map(|one| one.time_ms).sum();
    layers.get() / whole.get()
}

#[tokio::test(flavor = "multi_thread")]
async fn layers_are_timed_where_it_is_asked_for() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let (_edge, _cloud) = (site.edge().await?, site.cloud().await?);
    let picture = picture(1);
    let last = site.network.last_cut().0;
    for cut in 0..=last {
        let input = Input::Encoded { bytes: (&picture[..]).into() };
        let asked = ExecuteRequest { profile: true, ..request(cut, input) };
        let reply = site.send(asked, PATIENCE).await?;
        assert_eq!(reply.output, site.whole(&picture), "cut {cut}");
        let layers: Vec<(Place, Cut, usize)> =
            reply.profiles.iter().map(|one| (one.place, one.from, one.times_ms.len())).collect();
        let on_edge = (Place::Edge, Cut(0), usize::from(cut));
        let in_cloud = (Place::Cloud, Cut(cut), usize::from(last - cut));
        let expected = match cut {
            0 => vec![in_cloud],
            cut if cut == last => vec![on_edge],
            _ => vec![on_edge, in_cloud],
        };
        assert_eq!(layers, expected, "cut {cut}");
        for profile in &reply.profiles {
            let stage = if profile.place == Place::Edge { Stage::Head } else { Stage::Tail };
            let share = share_of_stage(profile, &reply.stages, stage);
            assert!(share > 0.0 && share <= 1.0, "cut {cut}: the layers are within their stage, {share}");
        }
    }
    assert!(site.classify(1, &picture).await.profiles.is_empty(), "nobody asked");
    Ok(())
}
