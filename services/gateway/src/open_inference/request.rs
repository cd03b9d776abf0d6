//! Reads `POST /v2/models/<model>/infer`.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use schemas::v1::tensor::byte_length;
use schemas::{DataType, Fault, Input, ServedModel, Tensor};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::admission::Asked;
use crate::open_inference::{IMAGE, numbers, refused};
use crate::terms;

/// A longer id than this is refused: it is echoed, not used.
const LONGEST_ID: usize = 256;

/// How the client wants the output tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputForm {
    /// As JSON numbers.
    Json,
    /// As bytes after the JSON.
    Binary,
}

/// One request of the protocol, checked as far as the protocol goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The client's own id, to be echoed.
    pub id: Option<String>,
    /// What it asks for besides the input.
    pub asked: Asked,
    /// The input.
    pub input: Input<'static>,
    /// How it wants the output.
    pub output: OutputForm,
}

/// Reads a request for the network `served`. `header_length` is the value of
/// `Inference-Header-Content-Length`, when there is one.
pub fn read(body: &[u8], header_length: Option<usize>, served: &ServedModel) -> Result<Request, Fault> {
    let (json, binary) = match header_length {
        None => (body, &[][..]),
        Some(length) => body.split_at_checked(length).ok_or_else(|| {
            refused(format!("the JSON header is said to be {length} bytes long, the body has {}", body.len()))
        })?,
    };
    let parsed: Body<'_> = serde_json::from_slice(json)
        .map_err(|error| refused(format!("the body is not an inference request: {error}")))?;
    if parsed.id.as_ref().is_some_and(|id| id.len() > LONGEST_ID) {
        return Err(refused(format!("the id is longer than {LONGEST_ID} bytes")));
    }
    let [tensor] = parsed.inputs.as_slice() else {
        let count = parsed.inputs.len();
        return Err(refused(format!("a request has exactly one input, this one has {count}")));
    };
    Ok(Request {
        asked: asked(&parsed.parameters)?,
        input: input(tensor, binary, served)?,
        output: output_form(&parsed, served)?,
        id: parsed.id,
    })
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    parameters: Map<String, Value>,
    #[serde(borrow)]
    inputs: Vec<InputTensor<'a>>,
    #[serde(default)]
    outputs: Vec<RequestedOutput>,
}

#[derive(Deserialize)]
struct InputTensor<'a> {
    name: String,
    shape: Vec<u64>,
    datatype: String,
    #[serde(default)]
    parameters: Map<String, Value>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RequestedOutput {
    name: String,
    #[serde(default)]
    parameters: Map<String, Value>,
}

/// Parameters are numbers or texts; those that are neither are as good as unreadable texts.
fn asked(parameters: &Map<String, Value>) -> Result<Asked, Fault> {
    terms::read(|term| match parameters.get(term.name())? {
        Value::String(text) => Some(Cow::Borrowed(text.as_str())),
        other => Some(Cow::Owned(other.to_string())),
    })
}

fn input(tensor: &InputTensor<'_>, binary: &[u8], served: &ServedModel) -> Result<Input<'static>, Fault> {
    let raw = raw_data(tensor, binary)?;
    match (tensor.datatype.as_str(), tensor.name.as_str()) {
        ("FP32", name) if name == served.input.name => network_input(tensor, raw),
        ("UINT8", IMAGE) => pixels(tensor, raw),
        ("BYTES", IMAGE) => encoded(tensor, raw),
        (datatype, name) => Err(refused(format!(
            "there is no input {:?} of {:?}: send FP32 {:?}, or UINT8 or BYTES \"{IMAGE}\"",
            excerpt(name),
            excerpt(datatype),
            served.input.name
        ))),
    }
}

/// An input's elements as they stand in the body.
enum RawData<'a> {
    Json(&'a str),
    Binary(&'a [u8]),
}

fn raw_data<'a>(tensor: &InputTensor<'a>, binary: &'a [u8]) -> Result<RawData<'a>, Fault> {
    let size = tensor.parameters.get("binary_data_size").map(|size| {
        size.as_u64().ok_or_else(|| refused("parameter binary_data_size is not a number of bytes"))
    });
    match (size.transpose()?, tensor.data) {
        (Some(_), Some(_)) => Err(refused("the input has both data and binary_data_size: send one")),
        (None, None) => Err(refused("the input has neither data nor binary_data_size")),
        // One input, so its bytes are all that follow the JSON.
        (Some(size), None) if size == binary.len() as u64 => Ok(RawData::Binary(binary)),
        (Some(size), None) => Err(refused(format!(
            "binary_data_size is {size}, {} bytes follow the JSON (its length is in Inference-Header-Content-Length)",
            binary.len()
        ))),
        (None, Some(_)) if !binary.is_empty() => {
            Err(refused(format!("{} bytes follow the JSON and belong to no input", binary.len())))
        }
        (None, Some(json)) => Ok(RawData::Json(json.get())),
    }
}

fn network_input(tensor: &InputTensor<'_>, raw: RawData<'_>) -> Result<Input<'static>, Fault> {
    let data = elements(tensor, raw, DataType::F32, numbers::fp32)?;
    let tensor = Tensor::new(DataType::F32, tensor.shape.clone(), data);
    tensor.map(Input::Tensor).map_err(|error| refused(error.to_string()))
}

fn pixels(tensor: &InputTensor<'_>, raw: RawData<'_>) -> Result<Input<'static>, Fault> {
    let (height, width) = match *tensor.shape.as_slice() {
        [1, height, width, 3] | [height, width, 3] => (height, width),
        _ => {
            let shape = &tensor.shape;
            return Err(refused(format!("\"{IMAGE}\" of UINT8 has shape [1, H, W, 3], not {shape:?}")));
        }
    };
    let side =
        |side: u64| u32::try_from(side).map_err(|_too_great| refused(format!("{side} pixels are too many")));
    let (height, width) = (side(height)?, side(width)?);
    let rgb = elements(tensor, raw, DataType::U8, numbers::uint8)?;
    Ok(Input::Pixels { height, width, rgb: Cow::Owned(rgb) })
}

fn elements(
    tensor: &InputTensor<'_>,
    raw: RawData<'_>,
    data_type: DataType,
    element: numbers::Element,
) -> Result<Vec<u8>, Fault> {
    let bytes = byte_length(data_type, &tensor.shape).map_err(|error| refused(error.to_string()))?;
    match raw {
        RawData::Binary(data) if data.len() as u64 == bytes => Ok(data.to_vec()),
        RawData::Binary(data) => {
            let (shape, length) = (&tensor.shape, data.len());
            Err(refused(format!("shape {shape:?} of {} is {bytes} bytes, {length} arrived", tensor.datatype)))
        }
        RawData::Json(json) => {
            let count = bytes / data_type.size() as u64;
            numbers::read(json, count, element)
                .map_err(|error| refused(format!("the data of {:?}: {error}", excerpt(&tensor.name))))
        }
    }
}

fn encoded(tensor: &InputTensor<'_>, raw: RawData<'_>) -> Result<Input<'static>, Fault> {
    if tensor.shape.iter().any(|&dimension| dimension != 1) {
        let shape = &tensor.shape;
        return Err(refused(format!("\"{IMAGE}\" of BYTES has one element, shape [1], not {shape:?}")));
    }
    let bytes = match raw {
        RawData::Binary(data) => length_prefixed(data)?.to_vec(),
        RawData::Json(json) => from_base64(json)?,
    };
    Ok(Input::Encoded { bytes: Cow::Owned(bytes) })
}

/// The protocol writes an element of BYTES as its length (4 bytes, little endian) and itself.
fn length_prefixed(data: &[u8]) -> Result<&[u8], Fault> {
    let (length, element) = data
        .split_first_chunk::<4>()
        .ok_or_else(|| refused("an element of BYTES begins with its length in 4 bytes"))?;
    let length = u32::from_le_bytes(*length);
    if element.len() as u64 == u64::from(length) {
        Ok(element)
    } else {
        let arrived = element.len();
        Err(refused(format!("the element of BYTES is said to be {length} bytes long, {arrived} arrived")))
    }
}

fn from_base64(json: &str) -> Result<Vec<u8>, Fault> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Element<'a> {
        Bare(#[serde(borrow)] Cow<'a, str>),
        InArray(#[serde(borrow)] [Cow<'a, str>; 1]),
    }
    let element: Element<'_> = serde_json::from_str(json).map_err(|_error| {
        refused(format!("the data of \"{IMAGE}\" is one text: the picture's file in base64"))
    })?;
    let (Element::Bare(text) | Element::InArray([text])) = element;
    BASE64.decode(text.as_bytes()).map_err(|error| {
        refused(format!("the data of \"{IMAGE}\" is not base64 ({error}): send the picture's file in base64"))
    })
}

fn output_form(body: &Body<'_>, served: &ServedModel) -> Result<OutputForm, Fault> {
    let flag = |parameters: &Map<String, Value>, name: &str| {
        parameters.get(name).map(|value| {
            value.as_bool().ok_or_else(|| refused(format!("parameter {name} is neither true nor false")))
        })
    };
    let by_default = flag(&body.parameters, "binary_data_output").transpose()?.unwrap_or(false);
    let mut binary = by_default;
    for output in &body.outputs {
        if output.name != served.output.name {
            let (asked, name) = (excerpt(&output.name), &served.output.name);
            return Err(refused(format!("there is no output {asked:?}: ask for {name:?}")));
        }
        binary = flag(&output.parameters, "binary_data").transpose()?.unwrap_or(by_default);
    }
    Ok(if binary { OutputForm::Binary } else { OutputForm::Json })
}

/// The start of a foreign text, so that an error stays short.
fn excerpt(text: &str) -> String {
    text.chars().take(64).collect()
}
