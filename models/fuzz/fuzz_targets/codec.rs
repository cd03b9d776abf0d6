//! Any bytes are a tail request or a typed error, and so is what a codec makes of its tensors.
#![no_main]

use libfuzzer_sys::fuzz_target;
use models::codec;
use schemas::{DataType, TailPayload, TailRequest, TensorSignature};

fuzz_target!(|data: &[u8]| {
    let Ok(request) = schemas::decode::<TailRequest<'_>>(data) else { return };
    let TailPayload::Encoded(encoded) = request.payload else { return };
    // The shapes are the sender's own, up to what a network here would have: the decoder gets as far as it can.
    let expected: Vec<TensorSignature> = encoded
        .iter()
        .map(|tensor| TensorSignature {
            name: "fuzzed".to_owned(),
            data_type: DataType::F32,
            shape: tensor.shape().to_vec(),
        })
        .collect();
    let few = |signature: &TensorSignature| {
        let elements = signature.shape.iter().try_fold(1_u64, |product, side| product.checked_mul(*side));
        elements.is_some_and(|elements| elements < 1 << 20)
    };
    if !expected.iter().all(few) {
        return;
    }
    drop(codec::decode(encoded, &expected));
});
