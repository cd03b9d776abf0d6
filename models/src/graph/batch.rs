//! Which axis of a new shape grows with the batch. Networks are loaded for one picture; nearly all files were
//! exported for any number of them or keep pictures apart, so that their tensors can hold more.

/// A shape asked for, by ONNX's rules: 0 keeps a side, -1 takes what is left. For a batch of one and of two.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) one: &'a [i64],
    /// `None` where the file says the same for any batch.
    pub(super) two: Option<&'a [i64]>,
    /// Whether 0 means 0.
    pub(super) zero_is_zero: bool,
}

/// The shape that a reshape of `from` gives, and which of its axes is free. `batch` is the axis of `from`
/// along which the pictures lie.
pub(super) fn reshaped(
    from: &[usize],
    batch: Option<usize>,
    wanted: Wanted<'_>,
) -> Option<(Vec<usize>, Option<usize>)> {
    let shape = resolved(from, wanted.one, wanted.zero_is_zero)?;
    let Some(batch) = batch else { return Some((shape, None)) };
    // Where the file computes the shape from its input's, what differs is the batch's.
    let of_two = wanted.two.and_then(|two| resolved(&doubled(from, batch), two, wanted.zero_is_zero));
    if let Some(of_two) = of_two {
        let mut differing = (0..shape.len()).filter(|axis| of_two.get(*axis) != shape.get(*axis));
        if let (Some(free), None) = (differing.next(), differing.next()) {
            return Some((shape, Some(free)));
        }
    }
    let free = aligned(from, batch, &shape);
    Some((shape, free))
}

/// The axis of `to` that begins with the same element as the batch's axis of `from`: pictures stay apart there.
fn aligned(from: &[usize], batch: usize, to: &[usize]) -> Option<usize> {
    let before: usize = from[..batch].iter().product();
    (0..to.len()).find(|axis| to[..*axis].iter().product::<usize>() == before)
}

/// A shape for a batch of two.
pub(super) fn doubled(shape: &[usize], batch: usize) -> Vec<usize> {
    shape.iter().enumerate().map(|(axis, side)| if axis == batch { side * 2 } else { *side }).collect()
}

fn resolved(from: &[usize], wanted: &[i64], zero_is_zero: bool) -> Option<Vec<usize>> {
    let total: usize = from.iter().product();
    let mut shape = Vec::with_capacity(wanted.len());
    for (axis, side) in wanted.iter().enumerate() {
        shape.push(match side {
            0 if !zero_is_zero => *from.get(axis)?,
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
    use super::{Wanted, reshaped};

    fn always(one: &[i64]) -> Wanted<'_> {
        Wanted { one, two: None, zero_is_zero: false }
    }

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
            let shape = reshaped(from, None, always(wanted)).map(|(shape, _)| shape);
            assert_eq!(shape.as_deref(), expected, "{from:?} to {wanted:?}");
        }
    }

    #[test]
    fn the_axis_of_the_batch_is_found() {
        type Case<'a> = (&'a [usize], usize, &'a [i64], Option<&'a [i64]>, Option<usize>);
        let cases: [Case<'_>; 6] = [
            // A classifier's flatten, with and without the batch in the file.
            (&[1, 512, 1, 1], 0, &[1, -1], None, Some(0)),
            (&[1, 512, 1, 1], 0, &[-1, 512], None, Some(0)),
            // A transformer with its tokens first: 12 heads of each picture.
            (&[197, 1, 768], 1, &[197, 12, 64], Some(&[197, 24, 64]), Some(1)),
            (&[197, 1, 768], 1, &[197, 12, 64], None, Some(1)),
            // Windows of a picture; tokens and pictures in one axis.
            (&[1, 8, 7, 8, 7, 96], 0, &[64, 49, 96], Some(&[128, 49, 96]), Some(0)),
            (&[197, 1, 768], 1, &[197, 768], Some(&[394, 768]), Some(0)),
        ];
        for (from, batch, one, two, expected) in cases {
            let wanted = Wanted { one, two, zero_is_zero: false };
            let free = reshaped(from, Some(batch), wanted).unwrap().1;
            assert_eq!(free, expected, "{from:?} to {one:?} or {two:?}");
        }
    }
}
