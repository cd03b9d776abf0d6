//! Several requests in flight: while one frontier travels or its tail runs, the next head runs.

use std::sync::Arc;

use broker::{Call, Request, Response, subjects};
use futures::future::join_all;
use schemas::{ExecuteRequest, Fault, Input, InstanceId};
use tokio::sync::Barrier;

use crate::site::{PATIENCE, Site, model, picture, request};

/// The capacity of an edge executor by default.
const IN_FLIGHT: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn heads_run_while_the_tails_of_others_are_away() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let (_edge, _cloud) = (site.edge().await?, site.cloud().await?);
    // Stands before the real cloud executor and lets no frontier through before all are there: an edge that took one
    // request after the other would never send the second.
    let everybody = Arc::new(Barrier::new(IN_FLIGHT));
    let onwards = site.server.connect("gate").await?;
    let gate = move |request: Request| {
        let (everybody, onwards) = (everybody.clone(), onwards.clone());
        async move {
            everybody.wait().await;
            let target = subjects::execute_cloud_at(&model(), &InstanceId::new("cloud").unwrap());
            let call = Call { id: request.id, ..Call::new(vec![target], PATIENCE, request.body) };
            let answer = onwards.call(call).await.map_err(|error| error.to_fault())?;
            Ok::<_, Fault>(Response { body: answer.body.to_vec(), ..Response::messagepack(&())? })
        }
    };
    let gate_bus = site.server.connect("gate-serving").await?;
    let at = subjects::execute_cloud_at(&model(), &InstanceId::new("gate").unwrap());
    let _gate = gate_bus.serve(broker::Endpoint::new(16).own(at), gate).await?;

    let pictures: Vec<Vec<u8>> = (0..IN_FLIGHT as u64).map(picture).collect();
    let through_the_gate = |picture: &Vec<u8>| {
        let cloud = Some(InstanceId::new("gate").unwrap());
        let bytes = picture.clone().into();
        site.send(ExecuteRequest { cloud, ..request(9, Input::Encoded { bytes }) }, PATIENCE)
    };
    let replies = join_all(pictures.iter().map(through_the_gate)).await;
    let replies: Vec<_> = replies.into_iter().collect::<Result<_, _>>()?;
    for (reply, picture) in replies.iter().zip(&pictures) {
        assert_eq!((reply.fallback, &reply.output), (None, &site.whole(picture)));
    }
    Ok(())
}
