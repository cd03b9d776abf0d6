//! A compressed bomb allocates what its cut's shape takes and no more.
//! A target of its own, because it counts the allocations of the whole process.
#![allow(clippy::unwrap_used)]

use models::codec;
use peak_alloc::PeakAlloc;
use schemas::{Codec, Compression, DataType, ElementFormat, EncodedTensor, TensorSignature};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// What the bombs become: 256 MB.
const BOMB: usize = 256 << 20;

/// The expected tensor's raw bytes and numbers (2 KB), an error's text, and whatever the test's harness does meanwhile.
/// Zstandard's own context (some 100 KB) is C's and is not counted.
const GREATEST_GROWTH: usize = 256 << 10;

fn signature(shape: &[u64]) -> TensorSignature {
    TensorSignature { name: "t".into(), data_type: DataType::F32, shape: shape.to_vec() }
}

/// What refusing it allocates.
fn growth(shape: &[u64], compression: Compression, bomb: &[u8]) -> usize {
    let codec = Codec::new(ElementFormat::F16, compression);
    let tensor = EncodedTensor::new(codec, shape.to_vec(), &[], bomb).unwrap();
    let expected = [signature(&[1, 16, 4, 4])];
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage();
    assert!(codec::decode(vec![tensor], &expected).is_err());
    ALLOCATOR.peak_usage().saturating_sub(before)
}

#[test]
fn a_bomb_allocates_no_more_than_the_expected_shape() {
    let zeros = vec![0; BOMB];
    let bombs = [
        (Compression::Lz4, lz4_flex::block::compress(&zeros)),
        (Compression::Zstd, zstd::bulk::compress(&zeros, 19).unwrap()),
    ];
    drop(zeros);
    for (compression, bomb) in bombs {
        assert!(bomb.len() < BOMB / 200, "{compression:?}: {} bytes are no bomb", bomb.len());
        // Under the right shape its data becomes too long; under a shape of its own it is not looked at.
        for shape in [&[1, 16, 4, 4][..], &[BOMB as u64 / 2], &[1 << 40]] {
            let growth = growth(shape, compression, &bomb);
            assert!(growth < GREATEST_GROWTH, "{compression:?} {shape:?} allocated {growth} bytes");
        }
    }
}
