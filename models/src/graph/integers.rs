//! Shape arithmetic: whole-number values are known when a network is loaded and never computed later.

use onnx_ir::Node;

/// What an operator makes of whole numbers, or `None` where it is not shape arithmetic that we know.
///
/// `inputs` are all operands, each a scalar or a list.
pub(super) fn evaluate(
    node: &Node,
    inputs: &[Vec<i64>],
    ranges: Option<(i64, i64, i64)>,
) -> Option<Vec<i64>> {
    match (node, inputs) {
        (Node::Concat(_), _) => Some(inputs.concat()),
        (
            Node::Identity(_) | Node::Cast(_) | Node::Squeeze(_) | Node::Unsqueeze(_) | Node::Reshape(_),
            [x, ..],
        ) => Some(x.clone()),
        (Node::Gather(_), [x, indices]) => indices.iter().map(|index| at(x, *index)).collect(),
        (Node::Slice(_), [x, ..]) => {
            let (start, end, step) = ranges?;
            let (start, end) = clamp(start, end, x.len());
            (step > 0).then(|| x[start..end].iter().step_by(step as usize).copied().collect())
        }
        (Node::Add(_), [a, b]) => zip(a, b, i64::checked_add),
        (Node::Sub(_), [a, b]) => zip(a, b, i64::checked_sub),
        (Node::Mul(_), [a, b]) => zip(a, b, i64::checked_mul),
        (Node::Div(_), [a, b]) => zip(a, b, i64::checked_div),
        _ => None,
    }
}

fn at(values: &[i64], index: i64) -> Option<i64> {
    let index = if index < 0 { index + values.len() as i64 } else { index };
    values.get(usize::try_from(index).ok()?).copied()
}

fn zip(a: &[i64], b: &[i64], with: fn(i64, i64) -> Option<i64>) -> Option<Vec<i64>> {
    match (a, b) {
        (a, [b]) => a.iter().map(|a| with(*a, *b)).collect(),
        ([a], b) => b.iter().map(|b| with(*a, *b)).collect(),
        (a, b) if a.len() == b.len() => a.iter().zip(b).map(|(a, b)| with(*a, *b)).collect(),
        _ => None,
    }
}

/// ONNX's range with a step forwards: negative counts from the end, beyond the ends is cut off.
pub(super) fn clamp(start: i64, end: i64, length: usize) -> (usize, usize) {
    let bound = |index: i64| {
        let index = if index < 0 { index.saturating_add(length as i64) } else { index };
        index.clamp(0, length as i64) as usize
    };
    let (start, end) = (bound(start), bound(end));
    (start, end.max(start))
}

/// The shape that a reshape to `wanted` gives: 0 keeps a dimension, -1 takes what is left.
pub(super) fn reshaped(from: &[usize], wanted: &[i64]) -> Option<Vec<usize>> {
    let total: usize = from.iter().product();
    let mut shape = Vec::with_capacity(wanted.len());
    for (axis, side) in wanted.iter().enumerate() {
        shape.push(match side {
            0 => *from.get(axis)?,
            -1 => 1,
            side => usize::try_from(*side).ok()?,
        });
    }
    let known = shape.iter().try_fold(1_usize, |product, side| product.checked_mul(*side))?;
    match wanted.iter().filter(|side| **side == -1).count() {
        0 => {}
        1 if known > 0 && total.is_multiple_of(known) => {
            let free = wanted.iter().position(|side| *side == -1)?;
            shape[free] = total / known;
        }
        _ => return None,
    }
    (shape.iter().try_fold(1_usize, |product, side| product.checked_mul(*side))? == total).then_some(shape)
}

#[cfg(test)]
mod tests {
    use super::{clamp, reshaped};

    #[test]
    fn reshape_rules() {
        type Case<'a> = (&'a [usize], &'a [i64], Option<&'a [usize]>);
        let cases: [Case<'_>; 6] = [
            (&[1, 6, 4], &[0, -1], Some(&[1, 24])),
            (&[1, 6, 4], &[2, 3, 4], Some(&[2, 3, 4])),
            (&[1, 6, 4], &[-1, -1], None),
            (&[1, 6, 4], &[5, -1], None),
            (&[1, 6, 4], &[1, 6], None),
            (&[2], &[i64::MAX, i64::MAX], None),
        ];
        for (from, wanted, expected) in cases {
            assert_eq!(reshaped(from, wanted).as_deref(), expected, "{from:?} to {wanted:?}");
        }
    }

    #[test]
    fn ranges_are_cut_off_at_the_ends() {
        assert_eq!(clamp(0, i64::MAX, 5), (0, 5));
        assert_eq!(clamp(-2, 5, 5), (3, 5));
        assert_eq!(clamp(4, 2, 5), (4, 4));
        assert_eq!(clamp(i64::MIN, i64::MAX, 5), (0, 5));
    }
}
