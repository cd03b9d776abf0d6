//! Activation functions.

use super::{Converted, NodeView, Result};
use crate::operators::Operator;
use crate::operators::activation::Activation;

pub(super) fn activation(node: &NodeView<'_>, activation: Activation) -> Result<Converted> {
    node.apply(Operator::Activation(activation))
}

/// With parameters as attributes.
pub(super) fn parametric(node: &NodeView<'_>) -> Result<Converted> {
    let float = |name, default| node.float(name, default);
    activation(
        node,
        match node.operator() {
            "LeakyRelu" => Activation::LeakyRelu { slope: float("alpha", 0.01) },
            "HardSigmoid" => Activation::HardSigmoid { alpha: float("alpha", 0.2), beta: float("beta", 0.5) },
            "ThresholdedRelu" => Activation::ThresholdedRelu { threshold: float("alpha", 1.0) },
            "Swish" => Activation::Swish { alpha: float("alpha", 1.0) },
            "Elu" => Activation::Elu { alpha: float("alpha", 1.0), gamma: 1.0, width: 1.0 },
            "Selu" => Activation::Elu {
                alpha: float("alpha", 1.673_263_2),
                gamma: float("gamma", 1.050_701),
                width: 1.0,
            },
            "Celu" => {
                let alpha = float("alpha", 1.0);
                Activation::Elu { alpha, gamma: 1.0, width: alpha }
            }
            other => return Err(format!("{other} has no parameters that are known here")),
        },
    )
}

pub(super) fn gelu(node: &NodeView<'_>) -> Result<Converted> {
    match node.text("approximate", "none")? {
        "none" => activation(node, Activation::Gelu),
        "tanh" => activation(node, Activation::TanhGelu),
        other => Err(format!("the approximation {other:?} is lacking")),
    }
}

/// The bounds are attributes before opset 11, then inputs.
pub(super) fn clip(node: &NodeView<'_>) -> Result<Converted> {
    let bound = |index, name: &str| -> Result<Option<f64>> {
        match node.number(index)? {
            Some(value) => Ok(Some(value)),
            None => Ok(node.has(name).then(|| node.float(name, 0.0))),
        }
    };
    let (least, greatest) = (bound(1, "min")?, bound(2, "max")?);
    activation(node, Activation::Clip { least, greatest })
}
