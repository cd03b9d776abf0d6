//! How much an operator makes at most, so that nothing is allocated for a file that claims too much.

use super::Operator;
use super::selection::Pad;

/// An upper bound of the elements that one run of an operator makes, its scratch included.
pub(crate) fn elements_made(operator: &Operator, operands: &[Vec<usize>]) -> usize {
    let first = operands.first().map_or(&[][..], Vec::as_slice);
    let second = operands.get(1).map_or(&[][..], Vec::as_slice);
    match operator {
        Operator::Convolution(settings) => {
            let plane = padded(first, &settings.pads);
            plane.saturating_mul(channels(first).max(second.first().copied().unwrap_or(1)))
        }
        Operator::TransposedConvolution(settings) => {
            let grown = product(first.get(2..).unwrap_or_default())
                .saturating_mul(product(&settings.stride))
                .saturating_add(product(&settings.output_padding));
            let kernel =
                product(second.get(2..).unwrap_or_default()).saturating_mul(product(&settings.dilation));
            let outputs = second.get(1).copied().unwrap_or(1).saturating_mul(settings.groups);
            grown.saturating_add(kernel).saturating_mul(outputs)
        }
        Operator::MaxPool(window) => padded(first, &window.pads).saturating_mul(channels(first)),
        Operator::AveragePool(settings) => {
            padded(first, &settings.window.pads).saturating_mul(channels(first))
        }
        Operator::MatMul | Operator::Linear => {
            broadcast(operands.iter().map(|shape| &shape[..shape.len().saturating_sub(2)]))
                .saturating_mul(first.iter().rev().nth(1).copied().unwrap_or(1))
                .saturating_mul(second.last().copied().unwrap_or(1))
        }
        Operator::Gemm(settings) => {
            let inner = settings.inner(first).max(1);
            (product(first) / inner).saturating_mul(product(second) / inner)
        }
        Operator::Einsum(settings) => settings.elements_made(first, second),
        Operator::Expand { shape } => broadcast([first, shape.as_slice()].into_iter()),
        Operator::Tile { repeats } => product(first).saturating_mul(product(repeats)),
        Operator::Concat { .. } => {
            broadcast(operands.iter().map(Vec::as_slice)).saturating_mul(operands.len())
        }
        Operator::Pad(settings) => added(first, settings),
        Operator::Select(settings) => {
            let side = first.get(settings.axis).copied().unwrap_or(1).max(1);
            (product(first) / side).saturating_mul(product(&settings.shape))
        }
        Operator::SelectPlaces(settings) => {
            product(first.get(settings.axes..).unwrap_or_default()).saturating_mul(product(&settings.shape))
        }
        Operator::Resize(settings) => product(first).saturating_mul(settings.growth),
        Operator::LocalResponse(settings) => product(first).saturating_mul(settings.size),
        _ => broadcast(operands.iter().map(Vec::as_slice)),
    }
}

fn product(sides: &[usize]) -> usize {
    sides.iter().fold(1, |product, side| product.saturating_mul(*side))
}

/// Pictures × channels.
fn channels(shape: &[usize]) -> usize {
    product(&shape[..shape.len().min(2)])
}

fn padded(shape: &[usize], pads: &[(usize, usize); 2]) -> usize {
    let plane = shape.get(2..).unwrap_or_default();
    let skipped = 2 - plane.len().min(2);
    plane.iter().zip(&pads[skipped..]).fold(1, |product, (side, (before, after))| {
        product.saturating_mul(side.saturating_add(*before).saturating_add(*after))
    })
}

fn added(shape: &[usize], settings: &Pad) -> usize {
    shape.iter().zip(&settings.pads).fold(1, |product, (side, (before, after))| {
        let around = before.max(&0).unsigned_abs().saturating_add(after.max(&0).unsigned_abs());
        product.saturating_mul(side.saturating_add(usize::try_from(around).unwrap_or(usize::MAX)))
    })
}

/// Elements of the shape that some shapes broadcast to, aligned at their last axes.
fn broadcast<'a>(shapes: impl Iterator<Item = &'a [usize]> + Clone) -> usize {
    let rank = shapes.clone().map(<[usize]>::len).max().unwrap_or(0);
    (1..=rank).fold(1, |product, from_end| {
        let sides = shapes.clone().filter_map(|shape| shape.len().checked_sub(from_end).map(|at| shape[at]));
        product.saturating_mul(sides.max().unwrap_or(1))
    })
}
