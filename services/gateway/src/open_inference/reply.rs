//! Writes the answer to `POST /v2/models/<model>/infer`.

use schemas::{Fault, FaultKind, InferReply, Tensor, total_joules};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::open_inference::{OutputForm, datatype};

/// An answer's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// JSON, then the tensor's bytes when they were asked for.
    pub body: Vec<u8>,
    /// How long the JSON is, when bytes follow it.
    pub header_length: Option<usize>,
}

/// Writes an answer: the network's output, and as parameters what Splinter says of the request (latency, limit,
/// best class, configuration, policy, energy where it is known).
pub fn reply(
    id: Option<&str>,
    answer: &InferReply,
    output_name: &str,
    output: &Tensor<'_>,
    form: OutputForm,
) -> Result<Reply, Fault> {
    let (data, parameters) = match form {
        OutputForm::Json => {
            let values = output.to_f32().map_err(|error| {
                let message = format!("the output cannot be written as JSON ({error}): ask for binary_data");
                Fault::new(FaultKind::Unsupported, message)
            })?;
            (Some(values), None)
        }
        OutputForm::Binary => (None, Some(json!({ "binary_data_size": output.data().len() }))),
    };
    let written = Written {
        model_name: answer.model.as_str(),
        id: id.map_or_else(|| answer.id.to_string(), str::to_owned),
        parameters: said_of(answer),
        outputs: [WrittenTensor {
            name: output_name,
            datatype: datatype(output.data_type()),
            shape: output.shape(),
            parameters,
            data,
        }],
    };
    let mut body = serde_json::to_vec(&written)
        .map_err(|error| Fault::new(FaultKind::Internal, format!("the answer cannot be written: {error}")))?;
    let header_length = match form {
        OutputForm::Json => None,
        OutputForm::Binary => Some(body.len()),
    };
    if header_length.is_some() {
        body.extend_from_slice(output.data());
    }
    Ok(Reply { body, header_length })
}

#[derive(Serialize)]
struct Written<'a> {
    model_name: &'a str,
    id: String,
    parameters: Map<String, Value>,
    outputs: [WrittenTensor<'a>; 1],
}

#[derive(Serialize)]
struct WrittenTensor<'a> {
    name: &'a str,
    datatype: &'static str,
    shape: &'a [u64],
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Vec<f32>>,
}

/// The protocol allows texts, numbers and booleans as parameters, nothing nested.
fn said_of(answer: &InferReply) -> Map<String, Value> {
    let mut said = Map::new();
    let mut say = |name: &str, value: Value| said.insert(name.to_owned(), value);
    say("latency_ms", json!(answer.latency_ms));
    say("limit_ms", json!(answer.limit_ms));
    say("within_limit", json!(answer.within_limit));
    say("cut", json!(answer.configuration.cut));
    say("policy", json!(answer.policy));
    if let Some(best) = answer.top.first() {
        say("class", json!(best.index));
        say("label", json!(best.label));
        say("probability", json!(best.probability));
    }
    if let Some(clock) = answer.configuration.edge_frequency_khz {
        say("edge_frequency_khz", json!(clock));
    }
    if let Some(joules) = total_joules(&answer.energy) {
        say("energy_j", json!(joules));
        let mut sources: Vec<String> = answer
            .energy
            .iter()
            .filter_map(|entry| json!(entry.source).as_str().map(str::to_owned))
            .collect();
        sources.sort_unstable();
        sources.dedup();
        say("energy_source", json!(sources.join("+")));
    }
    said
}
