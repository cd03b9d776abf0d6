//! Operators that move elements about, and arithmetic on shapes.

use onnx_ir::Node;
use onnx_ir::expand::ExpandConfig;
use onnx_ir::pad::{ConstantValueInput, PadConfig, PadInput, PadMode};
use onnx_ir::reduce::{ReduceAxes, ReduceConfig};
use onnx_ir::reshape::ReshapeInput;
use onnx_ir::slice::{SliceConfig, SliceInput};

use super::{Converted, Result, apply_to_first, known, operand, optional};
use crate::graph::import::{GREATEST_ELEMENTS, Importer, Known};
use crate::graph::integers;
use crate::operators::shape::Range;
use crate::operators::{Operator, shape_of};

/// What the node gives where it is arithmetic on whole numbers; `None` where it is not.
pub(super) fn of_integers(importer: &Importer<'_>, node: &Node) -> Result<Option<Known>> {
    if let Node::Shape(shape) = node {
        let sides = sides_of(importer, node)?;
        let taken = sides.get(shape.config.start..shape.config.end.min(sides.len())).unwrap_or_default();
        return Ok(Some(Known::Integers(taken.iter().map(|side| *side as i64).collect())));
    }
    let mut inputs = Vec::new();
    for argument in node.inputs() {
        match importer.look_up(argument) {
            Ok(Some(Known::Integers(values))) => inputs.push(values),
            Ok(None) => {}
            _ => return Ok(None),
        }
    }
    if inputs.is_empty() {
        return Ok(None);
    }
    let range = match node {
        Node::Slice(slice) => {
            let first = |input: &SliceInput| {
                list(importer, node, input)?.first().copied().ok_or("empty range".to_owned())
            };
            let step = slice.config.steps.as_ref().map_or(Ok(1), first)?;
            Some((first(&slice.config.starts)?, first(&slice.config.ends)?, step))
        }
        _ => None,
    };
    let made =
        integers::evaluate(node, &inputs, range).ok_or("this arithmetic on whole numbers is lacking")?;
    Ok(Some(Known::Integers(made)))
}

/// The shape of the node's first input.
fn sides_of(importer: &Importer<'_>, node: &Node) -> Result<Vec<usize>> {
    match known(importer, node, 0)? {
        Known::Integers(values) => Ok(vec![values.len()]),
        _ => Ok(shape_of(importer.trace(&operand(importer, node, 0)?))),
    }
}

fn integers_at(importer: &Importer<'_>, node: &Node, index: usize) -> Result<Vec<i64>> {
    match optional(importer, node, index)? {
        Some(Known::Integers(values)) => Ok(values),
        _ => Err(format!("input {index} is not known when the network is loaded")),
    }
}

fn list(importer: &Importer<'_>, node: &Node, input: &SliceInput) -> Result<Vec<i64>> {
    match input {
        SliceInput::Static(values) => Ok(values.clone()),
        SliceInput::Runtime(input) => integers_at(importer, node, input.input_index),
    }
}

/// Reshape, flatten, squeeze and unsqueeze: shapes are known, so all are one operator.
pub(super) fn reshape(importer: &Importer<'_>, node: &Node) -> Result<Converted> {
    let from = sides_of(importer, node)?;
    let shape = match node {
        Node::Reshape(reshape) => {
            let wanted = match &reshape.config.shape {
                ReshapeInput::Static(shape) => shape.clone(),
                ReshapeInput::Runtime(input) => integers_at(importer, node, input.input_index)?,
            };
            integers::reshaped(&from, &wanted).ok_or_else(|| format!("{from:?} cannot become {wanted:?}"))?
        }
        Node::Flatten(flatten) => {
            let (outer, inner) = from.split_at(flatten.config.axis.min(from.len()));
            vec![outer.iter().product(), inner.iter().product()]
        }
        Node::Squeeze(squeeze) => {
            let axes = match &squeeze.config.axes {
                Some(onnx_ir::squeeze::SqueezeInput::Static(axes)) => Some(axes.clone()),
                Some(onnx_ir::squeeze::SqueezeInput::Runtime(input)) => {
                    Some(integers_at(importer, node, input.input_index)?)
                }
                None => None,
            };
            squeezed(&from, axes.as_deref())?
        }
        Node::Unsqueeze(unsqueeze) => {
            let axes = match &unsqueeze.config {
                onnx_ir::unsqueeze::UnsqueezeConfig::Static(axes) => axes.clone(),
                onnx_ir::unsqueeze::UnsqueezeConfig::Runtime(input) => {
                    integers_at(importer, node, input.input_index)?
                }
            };
            unsqueezed(&from, &axes)?
        }
        _ => return Err("it is no reshape".to_owned()),
    };
    apply_to_first(importer, node, Operator::Reshape { shape })
}

fn axis(axis: i64, rank: usize) -> Result<usize> {
    let from_front = if axis < 0 { axis + rank as i64 } else { axis };
    let valid = usize::try_from(from_front).ok().filter(|axis| *axis < rank);
    valid.ok_or_else(|| format!("there is no axis {axis} of {rank}"))
}

fn squeezed(from: &[usize], axes: Option<&[i64]>) -> Result<Vec<usize>> {
    let removed = match axes {
        Some(axes) => axes.iter().map(|a| axis(*a, from.len())).collect::<Result<Vec<_>>>()?,
        None => (0..from.len()).filter(|a| from[*a] == 1).collect(),
    };
    let kept = from.iter().enumerate().filter(|(index, _)| !removed.contains(index));
    Ok(kept.map(|(_, side)| *side).collect())
}

fn unsqueezed(from: &[usize], axes: &[i64]) -> Result<Vec<usize>> {
    let rank = from.len() + axes.len();
    let added = axes.iter().map(|a| axis(*a, rank)).collect::<Result<Vec<_>>>()?;
    let mut sides = from.iter();
    Ok((0..rank)
        .map(|index| if added.contains(&index) { 1 } else { sides.next().copied().unwrap_or(1) })
        .collect())
}

pub(super) fn transpose(
    importer: &Importer<'_>,
    node: &Node,
    config: &onnx_ir::transpose::TransposeConfig,
) -> Result<Converted> {
    let rank = sides_of(importer, node)?.len();
    let axes = config.perm.iter().map(|a| axis(*a, rank)).collect::<Result<Vec<_>>>()?;
    apply_to_first(importer, node, Operator::Transpose { axes })
}

pub(super) fn expand(importer: &Importer<'_>, node: &Node, config: &ExpandConfig) -> Result<Converted> {
    let wanted = match config {
        ExpandConfig::Static(shape) => shape.clone(),
        ExpandConfig::Runtime(input) => integers_at(importer, node, input.input_index)?,
    };
    let shape: Option<Vec<usize>> = wanted.iter().map(|side| usize::try_from(*side).ok()).collect();
    let shape = shape.ok_or_else(|| format!("the shape {wanted:?} is not valid"))?;
    apply_to_first(importer, node, Operator::Expand { shape })
}

pub(super) fn slice(importer: &Importer<'_>, node: &Node, config: &SliceConfig) -> Result<Converted> {
    let shape = sides_of(importer, node)?;
    let starts = list(importer, node, &config.starts)?;
    let ends = list(importer, node, &config.ends)?;
    let axes = match &config.axes {
        Some(axes) => list(importer, node, axes)?,
        None => (0..starts.len() as i64).collect(),
    };
    let steps = match &config.steps {
        Some(steps) => list(importer, node, steps)?,
        None => vec![1; starts.len()],
    };
    if ends.len() != starts.len() || axes.len() != starts.len() || steps.len() != starts.len() {
        return Err("starts, ends, axes and steps are not equally many".to_owned());
    }
    let mut ranges: Vec<Range> = shape.iter().map(|side| Range { start: 0, end: *side, step: 1 }).collect();
    for index in 0..starts.len() {
        let step = usize::try_from(steps[index]).ok().filter(|step| *step > 0);
        let step = step.ok_or("steps backwards are lacking")?;
        let axis = axis(axes[index], shape.len())?;
        let (start, end) = integers::clamp(starts[index], ends[index], shape[axis]);
        ranges[axis] = Range { start, end, step };
    }
    if ranges.iter().any(|range| range.start == range.end) {
        return Err("it takes nothing".to_owned());
    }
    apply_to_first(importer, node, Operator::Slice { ranges })
}

pub(super) fn pad(importer: &Importer<'_>, node: &Node, config: &PadConfig) -> Result<Converted> {
    let shape = sides_of(importer, node)?;
    if !matches!(config.mode, PadMode::Constant) {
        return Err("only constant padding is supported".to_owned());
    }
    let value = match &config.constant_value {
        ConstantValueInput::Static(value) => *value,
        ConstantValueInput::Runtime(_) => return Err("a computed value is lacking".to_owned()),
    };
    let pads = match &config.pads {
        PadInput::Static(pads) => pads.clone(),
        PadInput::Runtime { input, axes: None } => {
            let flat = integers_at(importer, node, input.input_index)?;
            let (before, after) = flat.split_at(flat.len() / 2);
            let both = before.iter().zip(after);
            both.map(|(b, a)| Some((usize::try_from(*b).ok()?, usize::try_from(*a).ok()?)))
                .collect::<Option<Vec<_>>>()
                .ok_or("negative padding is lacking")?
        }
        PadInput::Runtime { .. } => return Err("computed axes are lacking".to_owned()),
    };
    let elements = shape.iter().zip(&pads).try_fold(1_usize, |product, (side, (before, after))| {
        product.checked_mul(side.checked_add(*before)?.checked_add(*after)?)
    });
    if pads.len() != shape.len() || elements.is_none_or(|n| n > GREATEST_ELEMENTS) {
        return Err(format!("the padding {pads:?} does not fit {shape:?} or is too great"));
    }
    apply_to_first(importer, node, Operator::Pad { pads, value })
}

pub(super) fn mean(importer: &Importer<'_>, node: &Node, config: &ReduceConfig) -> Result<Converted> {
    if !config.keepdims {
        return Err("keepdims = 0 is lacking".to_owned());
    }
    let rank = sides_of(importer, node)?.len();
    let axes = match &config.axes {
        ReduceAxes::Static(axes) if axes.is_empty() && !config.noop_with_empty_axes => (0..rank).collect(),
        ReduceAxes::Static(axes) => axes.clone(),
        ReduceAxes::Runtime(input) => {
            let axes = integers_at(importer, node, input.input_index)?;
            axes.iter().map(|a| axis(*a, rank)).collect::<Result<Vec<_>>>()?
        }
    };
    apply_to_first(importer, node, Operator::Mean { axes })
}
