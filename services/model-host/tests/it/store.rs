//! The model store: networks that are added and replaced while others are in use.

use schemas::{Cut, Tensor};

use crate::site::{Site, becomes_served, bundle, name, newer, served};

#[tokio::test(flavor = "multi_thread")]
async fn a_network_added_later_is_served_and_a_damaged_one_beside_it_is_not() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let catalogue = site.host(None, &[]).await?;
    assert!(served(&catalogue).is_empty());

    let store = site.bus.model_store().await?;
    for (file, bytes) in bundle("damaged").files()? {
        let kept = if file == "model.onnx" { bytes[..bytes.len() / 2].to_vec() } else { bytes };
        store.put(&name("damaged"), &file, kept).await?;
    }
    site.store(&bundle("good")).await?;
    becomes_served(&catalogue, &bundle("good")).await?;
    assert_eq!(served(&catalogue), ["good"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_file_replaces_the_network_and_what_runs_keeps_the_one_it_has() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let (old, new) = (bundle("net"), newer("net"));
    assert_ne!(old.digest(), new.digest());
    site.store(&old).await?;
    let catalogue = site.host(None, &[]).await?;
    let in_use = catalogue.get(&name("net")).unwrap();
    let input = Tensor::from_f32(vec![1, 3, 64, 64], &[0.25; 3 * 64 * 64])?;
    let frontier = in_use.network.head(Cut(9), &input)?;

    site.store(&new).await?;
    becomes_served(&catalogue, &new).await?;
    // A request that began before finishes with its own network.
    assert_eq!(in_use.bundle.digest(), old.digest());
    let finished = in_use.network.tail(Cut(9), &frontier)?;
    assert_eq!(finished, catalogue.get(&name("net")).unwrap().network.run(&input)?);
    assert_eq!(served(&catalogue), ["net"]);
    Ok(())
}
