//! MessagePack with named fields: the one place that encodes and decodes messages.

use std::io::ErrorKind;

use serde::{Deserialize, Serialize};

/// Nesting deeper than this is refused: our deepest message has 8 levels.
const GREATEST_DEPTH: usize = 32;

/// Why bytes are not the message they should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The bytes end early, hold another shape, or a value outside its type's range.
    #[error("the message does not decode: {0}")]
    Malformed(String),
    /// The message is followed by bytes that belong to nothing.
    #[error("bytes follow the message")]
    TrailingBytes,
    /// A value that MessagePack cannot hold; a defect of the sender's code.
    #[error("the message does not encode: {0}")]
    Unencodable(String),
}

/// Encodes a message with named fields.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, WireError> {
    rmp_serde::to_vec_named(message).map_err(|error| WireError::Unencodable(error.to_string()))
}

/// Decodes one message that fills `bytes` exactly; tensors and pictures borrow from `bytes`.
///
/// Unknown fields are tolerated. Memory is bounded by the length of `bytes`, whatever sizes they declare:
/// binary data is borrowed, and sequences grow only as their elements really arrive.
pub fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, WireError> {
    let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes);
    deserializer.set_max_depth(GREATEST_DEPTH);
    let message =
        T::deserialize(&mut deserializer).map_err(|error| WireError::Malformed(error.to_string()))?;
    // The borrowing deserializer does not tell its position, but a further value's first byte can only be
    // missing at the end of the input; a bool is that first byte and nothing more.
    match bool::deserialize(&mut deserializer) {
        Err(rmp_serde::decode::Error::InvalidMarkerRead(end)) if end.kind() == ErrorKind::UnexpectedEof => {
            Ok(message)
        }
        _ => Err(WireError::TrailingBytes),
    }
}
