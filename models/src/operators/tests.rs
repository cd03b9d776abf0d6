use proptest::prelude::*;

use super::convolution::Convolution;
use super::{Operator, Primitive, Spare, processor, shape_of};

fn zeros(shape: &[usize]) -> Primitive {
    processor::on_the_processor(vec![0.0; shape.iter().product()], shape.to_vec())
}

/// The shapes of operands, and that of a bias that may be there.
fn operands(input: &[usize], weights: &[usize], bias: Option<usize>) -> Vec<Primitive> {
    let bias = bias.map(|length| zeros(&[length]));
    [zeros(input), zeros(weights)].into_iter().chain(bias).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn what_stands_in_for_a_convolution_has_its_shape(
        kernel in [1_usize..4, 1..4],
        stride in [1_usize..4, 1..4],
        dilation in [1_usize..3, 1..3],
        pads in [(0_usize..3, 0_usize..3), (0..3, 0..3)],
        groups in 1_usize..3,
        (inputs, outputs) in (1_usize..3, 1_usize..4),
        sides in [5_usize..12, 5..12],
        has_bias in any::<bool>(),
    ) {
        let settings = Convolution { stride, pads, dilation, groups };
        let operator = Operator::Convolution(settings);
        let weights = [outputs * groups, inputs, kernel[0], kernel[1]];
        let operands = operands(&[2, inputs * groups, sides[0], sides[1]], &weights, has_bias.then_some(weights[0]));
        let made = operator.stand_in(&operands).map(|made| shape_of(&made));
        let run = operator.run(operands, &mut Spare::default()).expect("the operands fit");
        prop_assert_eq!(made, Some(shape_of(&run[0])));
    }

    #[test]
    fn what_stands_in_for_a_product_has_its_shape(
        before in prop::collection::vec(1_usize..4, 1..4),
        (inner, outputs) in (64_usize..70, 1_usize..5),
        has_bias in any::<bool>(),
    ) {
        let operator = if has_bias { Operator::Linear } else { Operator::MatMul };
        let input = [before.as_slice(), &[inner]].concat();
        let operands = operands(&input, &[inner, outputs], has_bias.then_some(outputs));
        let made = operator.stand_in(&operands).map(|made| shape_of(&made));
        let run = operator.run(operands, &mut Spare::default()).expect("the operands fit");
        prop_assert_eq!(made, Some(shape_of(&run[0])));
    }
}

#[test]
fn nothing_stands_in_where_the_shapes_do_not_fit() {
    let settings = || Convolution { stride: [1, 1], pads: [(0, 0), (0, 0)], dilation: [1, 1], groups: 1 };
    let convolutions = [
        ("channels", [1, 3, 8, 8], [4, 2, 3, 3], None),
        ("a kernel beyond the picture", [1, 2, 2, 8], [4, 2, 3, 3], None),
        ("a bias too short", [1, 2, 8, 8], [4, 2, 3, 3], Some(3)),
        ("an empty kernel", [1, 2, 8, 8], [4, 2, 0, 3], None),
    ];
    for (what, input, weights, bias) in convolutions {
        let made = Operator::Convolution(settings()).stand_in(&operands(&input, &weights, bias));
        assert!(made.is_none(), "{what}");
    }
    let products = [("the inner sides", [1, 64], [65, 4]), ("short sums", [1, 8], [8, 4])];
    for (what, input, weights) in products {
        assert!(Operator::MatMul.stand_in(&operands(&input, &weights, None)).is_none(), "{what}");
    }
    let wrong_bias = Operator::Linear.stand_in(&operands(&[1, 64], &[64, 4], Some(5)));
    assert!(wrong_bias.is_none(), "a bias of another length");
}
