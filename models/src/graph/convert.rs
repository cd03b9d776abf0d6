//! From one ONNX node to one operator of ours. Reasons of failure are texts: the caller adds operator, node
//! and file.

mod activation;
mod arithmetic;
mod convolution;
mod creation;
mod matrix;
mod node;
mod normalisation;
mod pooling;
mod quantisation;
mod reduction;
mod resize;
mod selection;
mod shape;
mod table;
mod window;

use burn_backend::DType;

use super::constant::Known;
use super::file::is_standard;
use crate::operators::Operator;

pub(super) use node::NodeView;

/// What a node becomes.
pub(super) enum Converted {
    /// Nothing to compute at run time.
    Known(Known),
    Apply(Applied),
}

/// An operator and what it is applied to.
pub(super) struct Applied {
    pub(super) operator: Operator,
    pub(super) operands: Vec<Known>,
    /// What the elements of its outputs are; the last stands for all further outputs.
    kinds: Vec<DType>,
    /// Whether ONNX's output has no axis, where that is not as for the operands. For constants only.
    pub(super) scalar: Option<bool>,
}

type Result<T> = std::result::Result<T, String>;

impl Applied {
    /// Gives outputs of the same kind as the first operand.
    fn new(operator: Operator, operands: Vec<Known>) -> Self {
        let kind = operands.first().map_or(DType::F32, Known::kind);
        Self { operator, operands, kinds: vec![kind], scalar: None }
    }

    fn of_kinds(mut self, kinds: Vec<DType>) -> Self {
        self.kinds = kinds;
        self
    }

    fn with_scalar(mut self, scalar: bool) -> Self {
        self.scalar = Some(scalar);
        self
    }

    /// What the elements of an output are.
    pub(super) fn kind(&self, output: usize) -> DType {
        self.kinds.get(output).or(self.kinds.last()).copied().unwrap_or(DType::F32)
    }
}

impl From<Applied> for Converted {
    fn from(applied: Applied) -> Self {
        Self::Apply(applied)
    }
}

impl Known {
    fn kind(&self) -> DType {
        match self {
            Self::Value { kind, .. } => *kind,
            Self::Constant(constant) => constant.kind,
        }
    }
}

/// Converts a node whose inputs are known.
pub(super) fn convert(node: &NodeView<'_>) -> Result<Converted> {
    if !is_standard(node.domain()) {
        return Err(format!(
            "it is of the domain {:?}, export the network with ONNX's own operators only",
            node.domain()
        ));
    }
    match table::OPERATORS.iter().find(|supported| supported.name == node.operator()) {
        Some(supported) => (supported.convert)(node),
        None => Err("the operator is lacking, export the network without it".to_owned()),
    }
}
