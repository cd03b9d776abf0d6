//! LZ4 and Zstandard, bounded by the length that the reader expects.

use schemas::Compression;

use crate::error::ModelError;

/// Zstandard's level: see the comparison in `docs/codecs.md`. Each call makes its own context, which costs some 10 µs
/// each way.
const ZSTD_LEVEL: i32 = 1;

/// The compressed bytes, which may be more than `raw`; `None` without a compression.
pub(super) fn compress(compression: Compression, raw: &[u8]) -> Result<Option<Vec<u8>>, ModelError> {
    match compression {
        Compression::None => Ok(None),
        Compression::Lz4 => Ok(Some(lz4_flex::block::compress(raw))),
        Compression::Zstd => zstd::bulk::compress(raw, ZSTD_LEVEL)
            .map(Some)
            .map_err(|error| ModelError::Computation(format!("zstd does not compress: {error}"))),
    }
}

/// Exactly `length` bytes; no more than that is allocated for them, whatever the data would become.
pub(super) fn decompress(
    compression: Compression,
    data: &[u8],
    length: usize,
) -> Result<Vec<u8>, ModelError> {
    let mut raw = vec![0; length];
    let became = match compression {
        Compression::None => Err("it is not compressed".to_owned()),
        Compression::Lz4 => {
            lz4_flex::block::decompress_into(data, &mut raw).map_err(|error| error.to_string())
        }
        Compression::Zstd => {
            zstd::bulk::decompress_to_buffer(data, &mut raw).map_err(|error| error.to_string())
        }
    };
    match became {
        Ok(became) if became == length => Ok(raw),
        Ok(became) => {
            Err(ModelError::Undecodable(format!("a tensor becomes {became} bytes where it has {length}")))
        }
        Err(reason) => Err(ModelError::Undecodable(format!("a tensor of {length} bytes: {reason}"))),
    }
}
