//! Declared sizes allocate nothing: memory stays in the order of the bytes that really arrived.
//! A target of its own, because it counts the allocations of the whole process.
#![allow(clippy::unwrap_used)]

use peak_alloc::PeakAlloc;
use schemas::{OptimizeReply, Presence, TailRequest, Tensor, decode};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Serde reserves at most 1 MiB for a sequence whatever length is declared; one such reservation may nest in
/// another. A message of a hundred bytes that declares 4 G elements must stay below this.
const GREATEST_GROWTH: usize = 4 << 20;

#[test]
fn four_billion_declared_elements_allocate_next_to_nothing() {
    let key = |name: &str| [&[0xa0 | u8::try_from(name.len()).unwrap()], name.as_bytes()].concat();
    let map = |pairs: &[(&str, &[u8])]| {
        let mut bytes = vec![0x80 | u8::try_from(pairs.len()).unwrap()];
        for (name, value) in pairs {
            bytes.extend(key(name));
            bytes.extend(*value);
        }
        bytes
    };
    let array = [0xdd, 0xff, 0xff, 0xff, 0xff];
    let binary = [0xc6, 0xff, 0xff, 0xff, 0xff];
    let text = [0xdb, 0xff, 0xff, 0xff, 0xff];
    let f32_type = key("f32");
    // One encoded tensor that announces 4 GB of scales.
    let tensor = map(&[("codec", &key("i8-channel")), ("shape", &[0x90]), ("scales", &binary)]);
    let encoded = [&[0x91], tensor.as_slice()].concat();
    let attacks = [
        map(&[("dtype", &f32_type), ("shape", &array)]),
        map(&[("dtype", &f32_type), ("shape", &[0x90]), ("data", &binary)]),
        map(&[("dtype", &text)]),
        map(&[("payload", &map(&[("frontier", &array)]))]),
        map(&[("payload", &map(&[("encoded", &array)]))]),
        map(&[("payload", &map(&[("encoded", &encoded)]))]),
        map(&[("measurements", &array)]),
        map(&[("models", &array)]),
        array.to_vec(),
        binary.to_vec(),
        text.to_vec(),
    ];
    for attack in &attacks {
        ALLOCATOR.reset_peak_usage();
        let before = ALLOCATOR.current_usage();
        let refused = [
            decode::<Tensor<'_>>(attack).is_err(),
            decode::<TailRequest<'_>>(attack).is_err(),
            decode::<Presence>(attack).is_err(),
            decode::<OptimizeReply>(attack).is_err(),
        ];
        let growth = ALLOCATOR.peak_usage().saturating_sub(before);
        assert_eq!(refused, [true; 4], "{attack:x?}");
        assert!(growth < GREATEST_GROWTH, "{attack:x?} allocated {growth} bytes");
    }
}
