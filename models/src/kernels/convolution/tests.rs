use proptest::prelude::*;

use super::{Clamp, Direct, Geometry};

/// The definition, output by output, in double precision.
fn reference(
    geometry: &Geometry,
    groups: usize,
    input: &[f32],
    [channels, height, width]: [usize; 3],
    weights: &[f32],
    bias: &[f32],
) -> Vec<f32> {
    let [rows, columns] = geometry.output([height, width]);
    let (inputs, outputs) = (channels / groups, bias.len() / groups);
    let taps = geometry.taps();
    let mut made = Vec::new();
    for picture in input.chunks_exact(channels * height * width) {
        for (channel, bias) in bias.iter().enumerate() {
            for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
                let mut sum = f64::from(*bias);
                for (from, tap) in (0..inputs).flat_map(|from| (0..taps).map(move |tap| (from, tap))) {
                    let (down, right) = (tap / geometry.kernel[1], tap % geometry.kernel[1]);
                    let y = row * geometry.stride[0] + down * geometry.dilation[0];
                    let x = column * geometry.stride[1] + right * geometry.dilation[1];
                    let (Some(y), Some(x)) =
                        (y.checked_sub(geometry.pads[0].0), x.checked_sub(geometry.pads[1].0))
                    else {
                        continue;
                    };
                    if y < height && x < width {
                        let plane = channel / outputs * inputs + from;
                        let weight = weights[(channel * inputs + from) * taps + tap];
                        sum += f64::from(weight) * f64::from(picture[(plane * height + y) * width + x]);
                    }
                }
                made.push(sum as f32);
            }
        }
    }
    made
}

fn numbers(count: usize, seed: usize) -> Vec<f32> {
    (0..count).map(|index| (((index * 7919 + seed * 104_729) % 1009) as f32 - 504.0) / 504.0).collect()
}

/// What a kernel makes in memory that holds something else.
fn run(direct: &Direct, input: &[f32], sides: [usize; 2], clamp: Clamp) -> Vec<f32> {
    let pictures = input.len() / (direct.channels() * sides[0] * sides[1]);
    let mut output = vec![f32::NAN; pictures * direct.output_shape(sides).iter().product::<usize>()];
    direct.run(input, sides, clamp, &mut output);
    output
}

fn geometries() -> impl Strategy<Value = Geometry> {
    let pair = |range: std::ops::Range<usize>| [range.clone(), range];
    (pair(1..5), pair(1..4), pair(1..3), [(0_usize..3, 0_usize..3), (0..3, 0..3)])
        .prop_map(|(kernel, stride, dilation, pads)| Geometry { kernel, stride, dilation, pads })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn it_computes_the_definition(
        geometry in geometries(),
        groups in 1_usize..4,
        (inputs, outputs) in (1_usize..4, 1_usize..11),
        sides in [1_usize..40, 1_usize..40],
        pictures in 1_usize..3,
    ) {
        prop_assume!(geometry.output(sides).iter().all(|side| *side > 0));
        let (channels, all) = (groups * inputs, groups * outputs);
        let input = numbers(pictures * channels * sides[0] * sides[1], 1);
        let weights = numbers(all * inputs * geometry.taps(), 2);
        let bias = numbers(all, 3);
        let expected = reference(&geometry, groups, &input, [channels, sides[0], sides[1]], &weights, &bias);
        let direct = Direct::new(geometry, groups, &weights, bias).unwrap();
        let made = run(&direct, &input, sides, Clamp::NONE);
        prop_assert_eq!(made.len(), expected.len());
        // At most 3 × 16 products of numbers up to 1, each rounded once.
        for (made, expected) in made.iter().zip(&expected) {
            prop_assert!((made - expected).abs() <= 1e-5, "{} where {} is right", made, expected);
        }
        let clamp = Clamp { least: -0.25, greatest: 0.5 };
        let clamped: Vec<f32> = made.iter().map(|number| number.clamp(-0.25, 0.5)).collect();
        prop_assert_eq!(run(&direct, &input, sides, clamp), clamped);
    }
}

#[test]
fn numbers_that_do_not_fit_together_are_refused() {
    let geometry = Geometry { kernel: [3, 3], stride: [1, 1], dilation: [1, 1], pads: [(1, 1); 2] };
    for (groups, weights, bias) in [(1, 17, 2), (2, 18, 3), (1, 0, 1), (1, 9, 0), (0, 9, 1)] {
        assert!(Direct::new(geometry, groups, &vec![0.0; weights], vec![0.0; bias]).is_none());
    }
}

#[test]
fn what_is_not_a_number_stays_so_through_a_clamp() {
    let geometry = Geometry { kernel: [1, 1], stride: [1, 1], dilation: [1, 1], pads: [(0, 0); 2] };
    let direct = Direct::new(geometry, 1, &[1.0], vec![0.0]).unwrap();
    let made = run(&direct, &[f32::NAN, -1.0, 7.0], [1, 3], Clamp { least: 0.0, greatest: 6.0 });
    assert!(made[0].is_nan());
    assert_eq!(made[1..], [0.0, 6.0]);
}
