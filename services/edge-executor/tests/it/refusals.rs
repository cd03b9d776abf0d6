//! What cannot be executed is refused with a reason, and the executor lives on.

use std::num::NonZeroU16;
use std::time::Duration;

use broker::{Call, CallError, subjects};
use schemas::{Accelerator, Configuration, Cut, Fault, FaultKind, Input, Tensor};

use crate::site::{PATIENCE, Site, model, picture, request};

fn refused(error: CallError) -> Fault {
    match error {
        CallError::Fault(fault) => fault,
        other => panic!("no answer: {other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_are_refused_by_reason_and_the_next_good_one_is_answered() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let (_edge, _cloud) = (site.edge().await?, site.cloud().await?);
    let (good, last) = (picture(1), site.network.last_cut());
    let wrong_shape = Tensor::from_f32(vec![1, 3, 2, 2], &[0.0; 12])?;
    let encoded = |bytes: &'static [u8]| Input::Encoded { bytes: bytes.into() };
    let cases = [
        (last.0 + 1, Input::Encoded { bytes: (&good[..]).into() }, "has no cut"),
        (9, encoded(b"no picture"), "picture"),
        (9, encoded(b""), "picture"),
        (last.0, Input::Encoded { bytes: good[..good.len() / 2].into() }, "picture"),
        (9, Input::Tensor(wrong_shape.clone()), "[1, 3, 2, 2]"),
        (last.0, Input::Tensor(wrong_shape), "[1, 3, 2, 2]"),
        (9, Input::Pixels { height: 9, width: 9, rgb: vec![0; 8].into() }, "pixels"),
    ];
    for (cut, input, named) in cases {
        let fault = refused(site.execute(cut, input, PATIENCE).await.unwrap_err());
        assert_eq!(fault.kind, FaultKind::BadRequest, "{named}: {fault}");
        assert!(fault.message.contains(named), "{} does not say {named}", fault.message);
        assert_eq!(site.classify(9, &good).await.configuration.cut, Cut(9));
    }
    let body = |change: fn(&mut Configuration)| {
        let mut asked = request(9, Input::Encoded { bytes: (&good[..]).into() });
        change(&mut asked.configuration);
        schemas::encode(&asked).unwrap()
    };
    let knobs = [
        (
            body(|asked| asked.edge_accelerator = Accelerator::Cuda),
            "does not run on cuda here, it runs on cpu",
        ),
        (body(|asked| asked.edge_threads = Some(NonZeroU16::MAX)), "65535 threads are more than"),
    ];
    for (body, named) in knobs {
        let call = Call::new(vec![subjects::execute_edge(&model())], PATIENCE, body);
        let fault = refused(site.bus.call(call).await.unwrap_err());
        assert!(fault.kind == FaultKind::BadRequest && fault.message.contains(named), "{fault}");
    }
    let garbage = Call::new(vec![subjects::execute_edge(&model())], PATIENCE, b"\xc1garbage".to_vec());
    assert_eq!(refused(site.bus.call(garbage).await.unwrap_err()).kind, FaultKind::BadRequest);
    assert_eq!(site.classify(9, &good).await.output, site.whole(&good));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_that_is_too_near_is_a_typed_error() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let _edge = site.edge().await?;
    let good = picture(1);
    // Twelve million bytes are not even carried here in a millisecond.
    let input = Input::Pixels { height: 2_000, width: 2_000, rgb: vec![0; 12_000_000].into() };
    let error = site.execute(9, input, Duration::from_millis(1)).await.unwrap_err();
    assert_eq!(error.to_fault().kind, FaultKind::DeadlineExceeded);
    assert_eq!(site.classify(9, &good).await.output, site.whole(&good));
    Ok(())
}
