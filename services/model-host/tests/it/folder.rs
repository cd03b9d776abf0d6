//! A folder of bundles: the good ones are served, whatever lies beside them.

use std::fs;

use crate::site::{Site, bundle, name, served};

#[tokio::test(flavor = "multi_thread")]
async fn damaged_bundles_are_left_out_and_the_good_one_is_served() -> anyhow::Result<()> {
    let (site, folder) = (Site::start().await?, tempfile::tempdir()?);
    for called in ["good", "truncated", "forged", "unlabelled"] {
        bundle(called).write_to(&folder.path().join(called))?;
    }
    let onnx = |called: &str| folder.path().join(called).join("model.onnx");
    let bytes = fs::read(onnx("good"))?;
    fs::write(onnx("truncated"), &bytes[..bytes.len() / 2])?;
    let mut forged = bytes.clone();
    forged[bytes.len() / 2] ^= 1;
    fs::write(onnx("forged"), forged)?;
    fs::remove_file(folder.path().join("unlabelled/labels.txt"))?;
    fs::create_dir(folder.path().join("empty"))?;
    fs::create_dir(folder.path().join("senseless"))?;
    fs::write(folder.path().join("senseless/model.toml"), "= nonsense")?;

    let catalogue = site.host(Some(folder.path()), &[]).await?;
    assert_eq!(served(&catalogue), ["good"]);
    assert_eq!(catalogue.get(&name("good")).unwrap().bundle.digest(), bundle("good").digest());
    assert!(catalogue.get(&name("forged")).is_none());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_wanted_networks_are_served() -> anyhow::Result<()> {
    let (site, folder) = (Site::start().await?, tempfile::tempdir()?);
    for called in ["one", "two"] {
        bundle(called).write_to(&folder.path().join(called))?;
    }
    site.store(&bundle("three")).await?;
    assert_eq!(served(&site.host(Some(folder.path()), &["two"]).await?), ["two"]);
    assert_eq!(served(&site.host(Some(folder.path()), &[]).await?), ["one", "three", "two"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_not_there_is_an_error_that_names_it() -> anyhow::Result<()> {
    let (site, folder) = (Site::start().await?, tempfile::tempdir()?);
    let error = site.host(Some(&folder.path().join("nowhere")), &[]).await.unwrap_err();
    assert!(error.to_string().contains("nowhere"), "{error}");
    Ok(())
}
