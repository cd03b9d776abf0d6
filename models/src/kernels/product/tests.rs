use proptest::prelude::*;

use super::{BLOCK, product};

fn numbers(count: usize, seed: usize) -> Vec<f32> {
    (0..count).map(|index| (((index * 7919 + seed * 104_729) % 1009) as f32 - 504.0) / 504.0).collect()
}

/// The definition, in double precision.
fn reference(input: &[f32], weights: &[f32], bias: &[f32], inner: usize) -> Vec<f32> {
    let mut made = Vec::new();
    for row in input.chunks_exact(inner) {
        for (column, weights) in weights.chunks_exact(inner).enumerate() {
            let products = row.iter().zip(weights).map(|(a, b)| f64::from(*a) * f64::from(*b));
            let bias = bias.get(column).map_or(0.0, |bias| f64::from(*bias));
            made.push((bias + products.sum::<f64>()) as f32);
        }
    }
    made
}

/// What the kernel makes in memory that holds something else.
fn run(input: &[f32], weights: &[f32], bias: &[f32], inner: usize) -> Vec<f32> {
    let mut output = vec![f32::NAN; input.len() / inner * (weights.len() / inner)];
    product(input, weights, bias, inner, &mut output);
    output
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn it_computes_the_definition(
        rows in 0_usize..11,
        columns in 1_usize..60,
        inner in prop_oneof![1_usize..80, BLOCK - 3..BLOCK + 40],
        with_bias: bool,
    ) {
        let (input, weights) = (numbers(rows * inner, 1), numbers(columns * inner, 2));
        let bias = if with_bias { numbers(columns, 3) } else { Vec::new() };
        let expected = reference(&input, &weights, &bias, inner);
        let made = run(&input, &weights, &bias, inner);
        prop_assert_eq!(made.len(), expected.len());
        // At most 1 064 products of numbers up to 1, each rounded once.
        for (made, expected) in made.iter().zip(&expected) {
            prop_assert!((made - expected).abs() <= 5e-4, "{} where {} is right", made, expected);
        }
    }
}

#[test]
fn a_row_alone_and_among_others_gives_the_same_bits_on_any_number_of_threads() {
    let (rows, columns, inner) = (37, 211, 1500);
    let (input, weights, bias) = (numbers(rows * inner, 1), numbers(columns * inner, 2), numbers(columns, 3));
    let on = |threads: usize, input: &[f32]| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(input, &weights, &bias, inner))
    };
    let all = on(1, &input);
    assert_eq!(on(3, &input), all);
    let each: Vec<f32> = input.chunks_exact(inner).flat_map(|row| on(2, row)).collect();
    assert_eq!(each, all);
}
