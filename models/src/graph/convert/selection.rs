//! Operators that take some elements, or put some around.

use burn_backend::TensorData;
use burn_backend::ops::{IntTensorOps, PadMode};

use super::node::{axis, counts};
use super::{Converted, NodeView, Result, shape};
use crate::graph::import::GREATEST_ELEMENTS;
use crate::operators::selection::{Indices, Pad, Places, Range, Select};
use crate::operators::{B, Operator};

/// Starts, ends and axes are attributes before opset 10, then inputs.
pub(super) fn slice(node: &NodeView<'_>) -> Result<Converted> {
    let shape = node.shape(0)?;
    let list = |index, name| Ok::<_, String>(node.list_or_attribute(index, name)?.map(|list| list.values));
    let starts = list(1, "starts")?.ok_or("its starts are missing")?;
    let ends = list(2, "ends")?.ok_or("its ends are missing")?;
    let axes = list(3, "axes")?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = list(4, "steps")?.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()].iter().any(|count| *count != starts.len()) {
        return Err("its starts, ends, axes and steps are not equally many".to_owned());
    }
    let mut ranges = vec![Range::WHOLE; shape.len()];
    for index in 0..starts.len() {
        let axis = axis(axes[index], shape.len())?;
        ranges[axis] = range(starts[index], ends[index], steps[index], shape[axis])?;
    }
    if ranges.iter().all(|range| *range == Range::WHOLE) {
        return Ok(Converted::Known(node.input(0)?.clone()));
    }
    node.apply(Operator::Slice { ranges })
}

/// ONNX's range: below 0 counts from the end, beyond the ends is cut off.
fn range(start: i64, end: i64, step: i64, side: usize) -> Result<Range> {
    let length = side as i64;
    let from_front = |place: i64| if place < 0 { place.saturating_add(length) } else { place };
    let (start, end) = (from_front(start), from_front(end));
    let stride = isize::try_from(step).map_err(|_| format!("the step {step} is not valid"))?;
    if step > 0 {
        let (start, end) = (start.clamp(0, length) as usize, end.clamp(0, length) as usize);
        let whole = start == 0 && end == side && step == 1;
        return Ok(if whole { Range::WHOLE } else { Range { start, end: end.max(start), step: stride } });
    }
    if step == 0 {
        return Err("its step is 0".to_owned());
    }
    // Backwards from `start` down to `end`, which is not taken: Burn names the same elements from the front.
    let (start, end) = (start.clamp(-1, length - 1), end.clamp(-1, length - 1));
    let (start, end) = ((end + 1) as usize, (start + 1) as usize);
    Ok(Range { start, end: end.max(start), step: stride })
}

/// Lengths are an attribute before opset 13, then an input; left out, parts are alike.
pub(super) fn split(node: &NodeView<'_>) -> Result<Converted> {
    let shape = node.shape(0)?;
    let axis = node.axis(0, shape.len())?;
    let lengths = match node.list_or_attribute(1, "split")? {
        Some(list) => counts(&list.values, "lengths")?,
        None => {
            let parts =
                node.integer("num_outputs").map_or(node.outputs() as i64, |parts| parts).max(1) as usize;
            let each = shape[axis].div_ceil(parts);
            let left = |part: usize| shape[axis].saturating_sub(part * each).min(each);
            (0..parts.min(node.outputs())).map(left).collect()
        }
    };
    let total = lengths.iter().fold(0_usize, |total, length| total.saturating_add(*length));
    if total != shape[axis] || lengths.len() != node.outputs() {
        return Err(format!("{lengths:?} do not split axis {axis} of {shape:?} into {}", node.outputs()));
    }
    node.apply(Operator::Split { axis, lengths })
}

pub(super) fn gather(node: &NodeView<'_>) -> Result<Converted> {
    let shape = node.shape(0)?;
    let along = node.axis(0, shape.len())?;
    let list = node.list(1)?.ok_or("its indices are missing")?;
    let places = list.values.iter().map(|place| axis(*place, shape[along]));
    let places = places.collect::<Result<Vec<usize>>>().map_err(|_| {
        format!(
            "its indices {:?} are beyond axis {along} of {shape:?}",
            &list.values[..list.values.len().min(8)]
        )
    })?;
    let of = node.constant(1)?.shape();
    if places.iter().copied().eq(0..shape[along]) {
        // All of them in order, which is how exporters write some poolings: for any number of pictures.
        let sides = [&shape[..along], &of, &shape[along + 1..]].concat();
        return shape::reshape_to(node, &sides);
    }
    let neighbours = places.windows(2).all(|pair| pair[1] == pair[0] + 1);
    let indices = match (places.first(), places.last()) {
        (Some(first), Some(last)) if neighbours => {
            Indices::Run(Range { start: *first, end: last + 1, step: 1 })
        }
        _ => {
            let values: Vec<i64> = places.iter().map(|place| *place as i64).collect();
            Indices::Any(B::int_from_data(TensorData::new(values, [places.len()]), node.device()))
        }
    };
    let scalar = shape.len() == 1 && of.is_empty();
    let select = Select { axis: along, indices, shape: of };
    Ok(node.apply_to(1, Operator::Select(select))?.with_scalar(scalar).into())
}

/// Places are lists of indices into the first axes.
pub(super) fn gather_places(node: &NodeView<'_>) -> Result<Converted> {
    if node.integer("batch_dims").is_some_and(|axes| axes != 0) {
        return Err("batch_dims is lacking".to_owned());
    }
    let (shape, list) = (node.shape(0)?, node.list(1)?.ok_or("its indices are missing")?);
    let mut of = node.constant(1)?.shape();
    let axes = of.pop().filter(|axes| (1..=shape.len()).contains(axes)).ok_or("its indices are not valid")?;
    let mut places = Vec::with_capacity(list.values.len() / axes);
    for indices in list.values.chunks(axes) {
        let mut place = 0;
        for (index, side) in indices.iter().zip(&shape) {
            place =
                place * side + axis(*index, *side).map_err(|_| format!("{indices:?} is not in {shape:?}"))?;
        }
        places.push(place as i64);
    }
    let count = places.len();
    let places = B::int_from_data(TensorData::new(places, [count]), node.device());
    node.apply(Operator::SelectPlaces(Places { axes, places, shape: of }))
}

pub(super) fn gather_elements(node: &NodeView<'_>) -> Result<Converted> {
    let axis = node.axis(0, node.shape(0)?.len())?;
    node.apply_to(2, Operator::SelectEach { axis }).map(Converted::Apply)
}

pub(super) fn scatter(node: &NodeView<'_>) -> Result<Converted> {
    if node.text("reduction", "none")? != "none" {
        return Err("reductions are lacking".to_owned());
    }
    node.apply_to(3, Operator::Scatter).map(Converted::Apply)
}

/// Pads and value are attributes before opset 11, then inputs.
pub(super) fn pad(node: &NodeView<'_>) -> Result<Converted> {
    let shape = node.shape(0)?;
    let given = node.list_or_attribute(1, "pads")?.ok_or("its pads are missing")?.values;
    let axes = match node.list(3)? {
        Some(axes) => {
            axes.values.iter().map(|value| axis(*value, shape.len())).collect::<Result<Vec<_>>>()?
        }
        None => (0..shape.len()).collect(),
    };
    if given.len() != axes.len() * 2 {
        return Err(format!("its pads {given:?} do not fit {shape:?}"));
    }
    let mut pads = vec![(0, 0); shape.len()];
    for (index, axis) in axes.iter().enumerate() {
        pads[*axis] = (given[index], given[index + axes.len()]);
    }
    let value = match node.number(2)? {
        Some(value) => value,
        None => node.float("value", 0.0),
    };
    let mode = match node.text("mode", "constant")? {
        "constant" => PadMode::Constant(value as f32),
        "reflect" => PadMode::Reflect,
        "edge" => PadMode::Edge,
        other => return Err(format!("the mode {other:?} is lacking")),
    };
    let fits = pads.iter().zip(&shape).all(|((before, after), side)| {
        let left =
            (*side as i64).checked_add(*before.min(&0)).and_then(|left| left.checked_add(*after.min(&0)));
        left.is_some_and(|left| left > 0) && before.max(after) < &(GREATEST_ELEMENTS as i64)
    });
    if !fits {
        return Err(format!("its pads {pads:?} do not fit {shape:?}"));
    }
    if pads.iter().all(|pad| *pad == (0, 0)) {
        return Ok(Converted::Known(node.input(0)?.clone()));
    }
    node.apply(Operator::Pad(Pad { pads, mode }))
}

#[cfg(test)]
mod tests {
    use super::range;

    #[test]
    fn ranges_are_cut_off_at_the_ends() {
        let cases = [
            ((0, i64::MAX, 1), (0, usize::MAX, 1)),
            ((-2, 5, 1), (3, 5, 1)),
            ((4, 2, 1), (4, 4, 1)),
            ((i64::MIN, i64::MAX, 2), (0, 5, 2)),
            ((-1, i64::MIN, -1), (0, 5, -1)),
            ((3, 0, -2), (1, 4, -2)),
        ];
        for ((start, end, step), expected) in cases {
            let range = range(start, end, step, 5).unwrap();
            assert_eq!((range.start, range.end, range.step), expected, "{start}..{end} by {step}");
        }
        assert!(range(0, 5, 0, 5).is_err());
    }
}
