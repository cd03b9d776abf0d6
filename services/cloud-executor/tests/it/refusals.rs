//! What cannot be run is refused with a reason, and the executor lives on.

use schemas::{Accelerator, Digest, Fault, FaultKind, Input, RequestId, TailPayload, TailRequest, Tensor};

use crate::site::{Site, picture};

fn says(fault: &Fault, kind: FaultKind, named: &str) {
    assert_eq!(fault.kind, kind, "{fault}");
    assert!(fault.message.contains(named), "{} does not say {named}", fault.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_frontiers_are_refused_and_the_next_right_one_is_run() -> anyhow::Result<()> {
    let site = Site::start(8).await?;
    let input = site.input(&picture(1));
    let frontier = site.network.head(schemas::Cut(9), &input)?;
    let twice: Vec<Tensor<'static>> = [frontier.clone(), frontier.clone()].concat();
    let wrong_shape = vec![Tensor::from_f32(vec![1, 2, 3, 4], &[0.0; 24])?];
    let bytes = frontier[0].shape().iter().product::<u64>();
    let wrong_type = vec![Tensor::new(
        schemas::DataType::U8,
        frontier[0].shape().to_vec(),
        vec![0; usize::try_from(bytes)?],
    )?];
    for (payload, named) in [
        (twice, "tensors where"),
        (Vec::new(), "tensors where"),
        (wrong_shape, "[1, 2, 3, 4]"),
        (wrong_type, "U8"),
    ] {
        let fault = site.refused(&site.request(9, TailPayload::Frontier(payload))).await;
        says(&fault, FaultKind::BadRequest, named);
        site.run(&site.request(9, TailPayload::Frontier(frontier.clone()))).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_file_another_cut_and_garbage_are_refused() -> anyhow::Result<()> {
    let site = Site::start(8).await?;
    let picture = picture(1);
    let right = site.request(0, TailPayload::Input(Input::Encoded { bytes: (&picture[..]).into() }));

    let other = Digest::from_bytes([0xab; 32]);
    let fault =
        site.refused(&TailRequest { id: RequestId::fresh(), digest: other.clone(), ..right.clone() }).await;
    // Another instance may have that file.
    says(&fault, FaultKind::Unavailable, &other.to_string());
    says(&fault, FaultKind::Unavailable, &site.bundle.digest().to_string());

    let elsewhere = TailRequest { id: RequestId::fresh(), accelerator: Accelerator::Cuda, ..right.clone() };
    says(&site.refused(&elsewhere).await, FaultKind::BadRequest, "does not run on cuda here, it runs on cpu");

    let last = site.network.last_cut().0;
    let frontier = site.network.head(schemas::Cut(9), &site.input(&picture))?;
    let beyond = site.request(last + 1, TailPayload::Frontier(frontier));
    says(&site.refused(&beyond).await, FaultKind::BadRequest, "cut");

    let garbage = site.send(RequestId::fresh(), b"\xc1garbage".to_vec()).await.unwrap_err().to_fault();
    assert_eq!(garbage.kind, FaultKind::BadRequest);
    let no_picture = site.request(0, TailPayload::Input(Input::Encoded { bytes: (&b"text"[..]).into() }));
    says(&site.refused(&no_picture).await, FaultKind::BadRequest, "picture");
    site.run(&right).await?;
    Ok(())
}
