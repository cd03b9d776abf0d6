//! The Open Inference Protocol, version 2: its JSON and its binary-tensor extension. Pure.
//!
//! # Inputs
//! A request has one input, told apart by its datatype:
//! - `FP32`, with the name and shape of the network's own input: the tensor, already preprocessed.
//! - `UINT8` named `image`, shape `[1, H, W, 3]` or `[H, W, 3]`: RGB pixels.
//! - `BYTES` named `image`, one element: a JPEG or PNG file. JSON strings cannot hold its bytes, so in JSON the
//!   element is base64; in the binary form it is the bytes, after their length as the protocol writes it.
//!
//! # Parameters of a request
//! The terms of [`crate::terms`], as numbers or texts; `binary_data_output`. Others are ignored, as
//! clients of other servers send theirs.

mod metadata;
mod numbers;
mod reply;
mod request;

pub use metadata::{ModelMetadata, ServerMetadata, TensorMetadata};
pub use reply::{Reply, reply};
pub use request::{OutputForm, Request, read};

use schemas::{DataType, Fault, FaultKind};

/// The header that says how long the JSON before the binary tensors is.
pub const HEADER_LENGTH: &str = "Inference-Header-Content-Length";

/// The name of the input that is a picture.
pub const IMAGE: &str = "image";

/// The protocol's name of an element type.
pub fn datatype(data_type: DataType) -> &'static str {
    match data_type {
        DataType::F32 => "FP32",
        DataType::F16 => "FP16",
        DataType::I8 => "INT8",
        DataType::U8 => "UINT8",
        DataType::I32 => "INT32",
        DataType::I64 => "INT64",
        DataType::Bool => "BOOL",
    }
}

fn refused(message: impl Into<String>) -> Fault {
    Fault::new(FaultKind::BadRequest, message)
}

#[cfg(test)]
mod tests;
