//! The NATS services framework: `nats micro ls|info|stats|ping` show every instance.

use std::collections::HashMap;
use std::sync::Arc;

use async_nats::service::ServiceExt;
use futures::StreamExt;
use schemas::{Presence, ServiceState};
use tokio::task::AbortHandle;
use tracing::{debug, warn};

use crate::bus::Bus;
use crate::error::BrokerError;
use crate::subjects;

/// A registered instance, with an endpoint that answers its presence as JSON. Its inference subjects are served
/// by our own request layer, which the framework's endpoints cannot express (ACCEPT, credits, leaving).
#[derive(Debug)]
pub(crate) struct Registration {
    answering: AbortHandle,
}

impl Registration {
    pub(crate) async fn start(
        bus: &Bus,
        first: &Presence,
        current: Arc<impl Fn(ServiceState) -> Presence + Send + Sync + 'static>,
    ) -> Result<Self, BrokerError> {
        let failed = |error: async_nats::Error| BrokerError::failed("registering the service", error);
        let stats = current.clone();
        let metadata = HashMap::from([
            ("instance".to_owned(), first.instance.to_string()),
            ("node".to_owned(), first.node.to_string()),
        ]);
        let service = bus
            .client()
            .service_builder()
            .description(format!("Splinter {} on {}", first.service, first.node))
            .metadata(metadata)
            .stats_handler(move |_, _| {
                let now = stats(ServiceState::Ready);
                serde_json::json!({ "credits": now.credits, "capacity": now.capacity })
            })
            .start(subjects::framework_name(first.service), first.version.clone())
            .await
            .map_err(failed)?;
        let subject = subjects::info(first.service, &first.instance);
        let endpoint = service.endpoint_builder().name("info").add(subject.as_str());
        let mut questions = endpoint.await.map_err(failed)?;
        let answering = tokio::spawn(async move {
            // Held so that the framework keeps answering for us.
            let _service = service;
            while let Some(question) = questions.next().await {
                let answer = serde_json::to_vec(&current(ServiceState::Ready)).unwrap_or_else(|error| {
                    warn!(%error, "the presence cannot be written as JSON");
                    Vec::new()
                });
                if let Err(error) = question.respond(Ok(answer.into())).await {
                    debug!(%error, "an info answer was not sent");
                }
            }
        });
        Ok(Self { answering: answering.abort_handle() })
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.answering.abort();
    }
}
