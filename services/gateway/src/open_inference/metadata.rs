//! What the server and its models say of themselves.

use schemas::{ServedModel, TensorSignature};
use serde::Serialize;

use crate::open_inference::datatype;

/// `GET /v2`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServerMetadata {
    /// The server's name.
    pub name: &'static str,
    /// Its software version.
    pub version: &'static str,
    /// The protocol's extensions it speaks.
    pub extensions: [&'static str; 1],
}

impl ServerMetadata {
    /// This server.
    pub const THIS: Self =
        Self { name: "splinter", version: env!("CARGO_PKG_VERSION"), extensions: ["binary_tensor_data"] };
}

/// One tensor of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TensorMetadata {
    /// Its name.
    pub name: String,
    /// The protocol's name of its element type.
    pub datatype: &'static str,
    /// Its dimensions for one picture.
    pub shape: Vec<u64>,
}

impl From<&TensorSignature> for TensorMetadata {
    fn from(signature: &TensorSignature) -> Self {
        Self {
            name: signature.name.clone(),
            datatype: datatype(signature.data_type),
            shape: signature.shape.clone(),
        }
    }
}

/// `GET /v2/models/<model>`.
///
/// `inputs` lists the network's own tensor only: clients fill every input that is listed, and a request has
/// exactly one. The other ways to send a picture are named in the documentation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelMetadata {
    /// The model's name.
    pub name: String,
    /// What it runs on.
    pub platform: &'static str,
    /// The network's input.
    pub inputs: [TensorMetadata; 1],
    /// The network's output.
    pub outputs: [TensorMetadata; 1],
}

impl From<&ServedModel> for ModelMetadata {
    fn from(served: &ServedModel) -> Self {
        Self {
            name: served.name.to_string(),
            platform: "splinter_onnx",
            inputs: [TensorMetadata::from(&served.input)],
            outputs: [TensorMetadata::from(&served.output)],
        }
    }
}
