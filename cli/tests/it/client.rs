//! A client that speaks to executors directly, about the network that ships with the project.

use std::time::Duration;

use broker::{Answer, BrokerSettings, Bus, Call, CallError, subjects};
use schemas::{Codec, Configuration, Cut, ExecuteReply, ExecuteRequest, Input, ModelName, RequestId};
use serde::Serialize;

pub struct Client {
    runtime: tokio::runtime::Runtime,
    bus: Bus,
    pub model: ModelName,
}

impl Client {
    pub fn connect(url: &str, name: &str) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let settings = BrokerSettings { url: url.to_owned(), ..BrokerSettings::default() };
        let bus = runtime.block_on(Bus::connect(&settings, name)).unwrap();
        Self { runtime, bus, model: ModelName::new("shapes10").unwrap() }
    }

    /// Calls a subject with a message that bears an id of its own.
    pub fn call(
        &self,
        subject: subjects::Subject,
        id: RequestId,
        within: Duration,
        message: &impl Serialize,
    ) -> Result<Answer, CallError> {
        let call = Call { id, ..Call::new(vec![subject], within, schemas::encode(message).unwrap()) };
        self.runtime.block_on(self.bus.call(call))
    }

    /// One picture at a cut over any edge executor.
    pub fn execute(
        &self,
        (cut, codec): (Cut, Codec),
        picture: &[u8],
        within: Duration,
    ) -> Result<ExecuteReply<'static>, String> {
        let request = ExecuteRequest {
            id: RequestId::fresh(),
            model: self.model.clone(),
            input: Input::Encoded { bytes: picture.into() },
            configuration: Configuration { codec, ..Configuration::at(cut) },
            cloud: None,
            profile: false,
        };
        let answer = self
            .call(subjects::execute_edge(&self.model), request.id, within, &request)
            .map_err(|error| error.to_string())?;
        let reply: ExecuteReply<'_> = schemas::decode(&answer.body).map_err(|error| error.to_string())?;
        Ok(ExecuteReply { output: reply.output.into_owned(), ..reply })
    }
}
