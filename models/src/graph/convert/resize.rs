//! Resize and Upsample: for each axis, which old elements make each new one.

use burn_backend::TensorData;
use burn_backend::ops::{FloatTensorOps, IntTensorOps};

use super::node::{axis, counts};
use super::{Converted, NodeView, Result};
use crate::graph::constant::read;
use crate::graph::import::GREATEST_ELEMENTS;
use crate::operators::resize::{Resize, Step};
use crate::operators::{B, Operator};

/// No axis becomes longer: sixteen times the longest side of a picture. What a fuzzer found, an axis of eleven million, took a
/// second of tables.
const GREATEST_SIDE: usize = 1 << 16;

/// One axis before and after. Places are computed in single precision, as other runtimes do.
#[derive(Debug, Clone, Copy)]
struct Along {
    old: usize,
    new: usize,
    scale: f32,
}

/// How new elements are made of old ones.
struct Rule<'a> {
    /// Where a new element lies among the old.
    coordinates: &'a str,
    nearest: &'a str,
    cubic: f32,
    exclude_outside: bool,
}

/// Weights of old elements, by their places.
type Taps = Vec<(usize, f32)>;

pub(super) fn resize(node: &NodeView<'_>) -> Result<Converted> {
    for (name, plain) in [("antialias", 0), ("extrapolation_value", 0)] {
        if node.integer(name).is_some_and(|value| value != plain) {
            return Err(format!("{name} is lacking"));
        }
    }
    let policy = node.text("keep_aspect_ratio_policy", "stretch")?;
    if policy != "stretch" {
        return Err(format!("keep_aspect_ratio_policy {policy:?} is lacking"));
    }
    let old = node.opset() < 11;
    let rule = Rule {
        coordinates: node
            .text("coordinate_transformation_mode", if old { "asymmetric" } else { "half_pixel" })?,
        nearest: node.text("nearest_mode", if old { "simple" } else { "round_prefer_floor" })?,
        cubic: node.float("cubic_coeff_a", -0.75) as f32,
        exclude_outside: node.flag("exclude_outside", false),
    };
    let shape = node.shape(0)?;
    let axes = match node.integers("axes") {
        Some(axes) => axes.iter().map(|value| axis(*value, shape.len())).collect::<Result<Vec<usize>>>()?,
        None => (0..shape.len()).collect(),
    };
    let along = if old { by_scales(node, 1, &shape, &axes)? } else { sizes(node, &shape, &axes)? };
    steps(node, &rule, &shape, &axes, &along)
}

/// Opset 7 has the scales as an attribute, 9 as an input.
pub(super) fn upsample(node: &NodeView<'_>) -> Result<Converted> {
    let shape = node.shape(0)?;
    let axes: Vec<usize> = (0..shape.len()).collect();
    let along = match node.floats("scales") {
        Some(scales) => scaled(scales.iter().map(|scale| f64::from(*scale)).collect(), &shape, &axes)?,
        None => by_scales(node, 1, &shape, &axes)?,
    };
    let rule = Rule { coordinates: "asymmetric", nearest: "simple", cubic: -0.75, exclude_outside: false };
    steps(node, &rule, &shape, &axes, &along)
}

fn sizes(node: &NodeView<'_>, shape: &[usize], axes: &[usize]) -> Result<Vec<Along>> {
    let Some(list) = node.list(3)?.filter(|list| !list.values.is_empty()) else {
        return by_scales(node, 2, shape, axes);
    };
    let sizes = counts(&list.values, "sizes")?;
    if sizes.len() != axes.len() {
        return Err(format!("its sizes {sizes:?} do not fit {shape:?}"));
    }
    let along = |(size, axis): (&usize, &usize)| {
        let old = shape[*axis];
        Along { old, new: *size, scale: *size as f32 / old as f32 }
    };
    Ok(sizes.iter().zip(axes).map(along).collect())
}

fn by_scales(node: &NodeView<'_>, index: usize, shape: &[usize], axes: &[usize]) -> Result<Vec<Along>> {
    scaled(read(node.constant(index)?.tensor.clone())?, shape, axes)
}

fn scaled(scales: Vec<f64>, shape: &[usize], axes: &[usize]) -> Result<Vec<Along>> {
    let valid = scales.iter().all(|scale| *scale > 0.0 && *scale < 1e6);
    if scales.len() != axes.len() || !valid {
        return Err(format!("its scales {scales:?} do not fit {shape:?}"));
    }
    let along = |(scale, axis): (&f64, &usize)| {
        let (old, scale) = (shape[*axis], *scale as f32);
        Along { old, new: (old as f32 * scale).floor() as usize, scale }
    };
    Ok(scales.iter().zip(axes).map(along).collect())
}

fn steps(
    node: &NodeView<'_>,
    rule: &Rule<'_>,
    shape: &[usize],
    axes: &[usize],
    along: &[Along],
) -> Result<Converted> {
    let mode = node.text("mode", "nearest")?;
    let growth = along
        .iter()
        .fold(1_usize, |growth, along| growth.saturating_mul(along.new.div_ceil(along.old.max(1)).max(1)));
    let mut steps = Vec::new();
    for (axis, along) in
        axes.iter().zip(along).filter(|(_, along)| along.old != along.new || along.scale != 1.0)
    {
        if !(1..=GREATEST_SIDE).contains(&along.new) {
            return Err(format!(
                "axis {axis} of {shape:?} becomes {}: 1 to {GREATEST_SIDE} can be",
                along.new
            ));
        }
        steps.push(match mode {
            "nearest" => {
                let places = (0..along.new).map(|new| Ok(rule.nearest(along, new)? as i64));
                let places = places.collect::<Result<Vec<i64>>>()?;
                let data = TensorData::new(places, [along.new]);
                Step::Pick { axis: *axis, places: B::int_from_data(data, node.device()) }
            }
            "linear" | "cubic" => mix(node, rule, mode == "cubic", shape.len() - axis, along)?,
            other => return Err(format!("the mode {other:?} is lacking")),
        });
    }
    if steps.is_empty() {
        return Ok(Converted::Known(node.input(0)?.clone()));
    }
    node.apply(Operator::Resize(Resize { steps, growth }))
}

/// `from_end` is 1 for the last axis.
fn mix(node: &NodeView<'_>, rule: &Rule<'_>, cubic: bool, from_end: usize, along: &Along) -> Result<Step> {
    let (old, new) = (along.old, along.new);
    if old.saturating_mul(new) > GREATEST_ELEMENTS {
        return Err(format!("{old} elements cannot become {new}"));
    }
    let columns = match from_end {
        1 => true,
        2 => false,
        _ => return Err("mixing along other axes than the last two is lacking".to_owned()),
    };
    let mut weights = vec![0.0_f32; old * new];
    for made in 0..new {
        let taps = if cubic { rule.cubic(along, made)? } else { rule.linear(along, made)? };
        for (place, weight) in taps {
            weights[if columns { place * new + made } else { made * old + place }] += weight;
        }
    }
    let shape = if columns { [old, new] } else { [new, old] };
    let weights = B::float_from_data(TensorData::new(weights, shape), node.device());
    Ok(if columns { Step::MixColumns(weights) } else { Step::MixRows(weights) })
}

impl Rule<'_> {
    fn place(&self, along: &Along, new: usize) -> Result<f32> {
        let (x, scale) = (new as f32, along.scale);
        Ok(match self.coordinates {
            _ if scale == 1.0 => x,
            "half_pixel" => (x + 0.5) / scale - 0.5,
            "pytorch_half_pixel" if along.new > 1 => (x + 0.5) / scale - 0.5,
            "pytorch_half_pixel" => 0.0,
            "align_corners" if along.new > 1 => x * (along.old - 1) as f32 / (along.new - 1) as f32,
            "align_corners" => 0.0,
            "asymmetric" => x / scale,
            "half_pixel_symmetric" => {
                let adjustment = along.new as f32 / (scale * along.old as f32);
                let offset = along.old as f32 / 2.0 * (1.0 - adjustment);
                offset + (x + 0.5) / scale - 0.5
            }
            other => return Err(format!("coordinate_transformation_mode {other:?} is lacking")),
        })
    }

    fn nearest(&self, along: &Along, new: usize) -> Result<usize> {
        let place = self.place(along, new)?;
        let nearest = match self.nearest {
            "round_prefer_floor" => (place - 0.5).ceil(),
            "round_prefer_ceil" => (place + 0.5).floor(),
            "floor" => place.floor(),
            "ceil" => place.ceil(),
            "simple" if along.scale < 1.0 => place.ceil(),
            "simple" => place.floor(),
            other => return Err(format!("nearest_mode {other:?} is lacking")),
        };
        Ok((nearest.max(0.0) as usize).min(along.old - 1))
    }

    fn linear(&self, along: &Along, new: usize) -> Result<Taps> {
        let last = along.old - 1;
        let place = self.place(along, new)?.clamp(0.0, last as f32);
        let before = (place.floor() as usize).min(last);
        let after = place - before as f32;
        Ok(vec![(before, 1.0 - after), ((before + 1).min(last), after)])
    }

    fn cubic(&self, along: &Along, new: usize) -> Result<Taps> {
        let place = self.place(along, new)?;
        let (start, a) = (place.floor(), self.cubic);
        let weight = |offset: i64| {
            let distance = (place - (start + offset as f32)).abs();
            if distance <= 1.0 {
                ((a + 2.0) * distance - (a + 3.0)) * distance * distance + 1.0
            } else {
                ((a * distance - 5.0 * a) * distance + 8.0 * a) * distance - 4.0 * a
            }
        };
        let inside = |at: i64| (0..along.old as i64).contains(&at);
        let taps = (-1..=2).map(|offset| (start as i64 + offset, weight(offset)));
        let kept: Vec<(i64, f32)> = taps.filter(|(at, _)| !self.exclude_outside || inside(*at)).collect();
        let sum: f32 = if self.exclude_outside { kept.iter().map(|(_, weight)| weight).sum() } else { 1.0 };
        let place = |at: i64| at.clamp(0, along.old as i64 - 1) as usize;
        Ok(kept.into_iter().map(|(at, weight)| (place(at), weight / sum)).collect())
    }
}
