//! A new version of a network is added while requests run.

use std::time::Duration;

use models::{Accelerator, Bundle, Network};
use schemas::{Fallback, Input, Tensor};
use testkit::wait_for;

use crate::site::{PATIENCE, Site, picture, request};

/// The shipped network with other weights half-way through its file.
fn newer() -> Bundle {
    let shipped = demo_network::bundle();
    let mut onnx = shipped.onnx.to_vec();
    let middle = onnx.len() / 2;
    // Of four bytes of a weight, the highest bits are its sign, a factor of 2, and two small changes.
    onnx[middle..middle + 4096].iter_mut().for_each(|byte| *byte ^= 0x80);
    let manifest: String = shipped
        .model_toml
        .lines()
        .filter(|line| !line.contains("onnx_sha256"))
        .flat_map(|line| [line, "\n"])
        .collect();
    Bundle::from_files(&manifest, onnx, Some(shipped.labels)).unwrap()
}

async fn store(site: &Site, bundle: &Bundle) -> anyhow::Result<()> {
    let store = site.bus.model_store().await?;
    for (file, bytes) in bundle.files()? {
        store.put(bundle.name(), &file, bytes).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_with_another_version_gets_no_part_in_the_answer() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let folder = tempfile::tempdir()?;
    newer().write_to(&folder.path().join("newer"))?;
    let _edge = site.edge().await?;
    let _cloud = site.cloud_of(Some(folder.path().to_path_buf())).await?;
    let picture = picture(1);
    // At cut 0 there is no frontier that would not fit, only the picture.
    for cut in [0, 9] {
        let reply = site.classify(cut, &picture).await;
        assert_eq!(reply.fallback, Some(Fallback::FinishedAtHome), "cut {cut}");
        assert_eq!(reply.output, site.whole(&picture), "cut {cut}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_answered_by_one_version_from_end_to_end() -> anyhow::Result<()> {
    const CUT: u16 = 9;
    let site = Site::start().await?;
    let new = newer();
    let new_network = Network::load(&new, Accelerator::Cpu)?;
    let picture = picture(1);
    let input = || Input::Encoded { bytes: (&picture[..]).into() };
    let tensor = models::preprocess(new.preprocessing(), &input())?;
    let (old_output, new_output) = (site.whole(&picture), new_network.run(&tensor)?);
    let head = site.network.head(schemas::Cut(CUT), &tensor)?;
    let mixed: Tensor<'static> = new_network.tail(schemas::Cut(CUT), &head)?;
    assert!(old_output != new_output && mixed != old_output, "the test can tell the versions apart");

    store(&site, &site.bundle).await?;
    let _edge = site.edge_from_store().await?;
    let _cloud = site.cloud_of(None).await?;
    let first = site.classify(CUT, &picture).await;
    assert_eq!((first.fallback, first.output), (None, old_output.clone()));

    store(&site, &new).await?;
    // Each executor swaps at a time of its own: between the two the cloud refuses the other version's frontier and the
    // edge finishes at home.
    wait_for(PATIENCE, || async {
        let reply = site.send(request(CUT, input()), Duration::from_secs(20)).await.unwrap();
        let whole_version = reply.output == old_output || reply.output == new_output;
        assert!(whole_version, "head and tail of two versions: {:?}", reply.fallback);
        assert!(matches!(reply.fallback, None | Some(Fallback::FinishedAtHome)), "{:?}", reply.fallback);
        match (reply.output == new_output, reply.fallback) {
            (true, None) => Ok(()),
            state => Err(format!("new version, fallback: {state:?}")),
        }
    })
    .await?;
    Ok(())
}
