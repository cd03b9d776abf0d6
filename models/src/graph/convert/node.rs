//! A node's attributes and inputs as conversions read them.

use burn_backend::DType;
use burn_dispatch::DispatchDevice;
use onnx_ir::{AttributeProto, NodeProto, TensorProto};

use super::Result;
use crate::graph::batch::doubled;
use crate::graph::constant::{Constant, Known, read};
use crate::graph::import::Importer;
use crate::operators::{Operator, shape_of};

use super::{Applied, Converted};

/// One node of the file, and what is known of its inputs.
pub(in crate::graph) struct NodeView<'a> {
    importer: &'a Importer<'a>,
    node: &'a NodeProto,
}

/// Whole numbers that are known when the network is loaded.
#[derive(Debug, Clone)]
pub(super) struct List {
    pub(super) values: Vec<i64>,
    /// What they are for a batch of two, where that differs.
    pub(super) doubled: Option<Vec<i64>>,
}

impl<'a> NodeView<'a> {
    pub(in crate::graph) fn new(importer: &'a Importer<'_>, node: &'a NodeProto) -> Self {
        Self { importer, node }
    }

    pub(super) fn operator(&self) -> &str {
        &self.node.op_type
    }

    pub(super) fn domain(&self) -> &str {
        &self.node.domain
    }

    pub(super) fn opset(&self) -> i64 {
        self.importer.opset
    }

    /// Whether the file leaves the number of pictures free.
    pub(super) fn any_batch(&self) -> bool {
        self.importer.any_batch
    }

    pub(super) fn device(&self) -> &'a DispatchDevice {
        self.importer.device
    }

    pub(super) fn outputs(&self) -> usize {
        self.node.output.len()
    }

    // === attributes ===

    fn attribute(&self, name: &str) -> Option<&'a AttributeProto> {
        self.node.attribute.iter().find(|attribute| attribute.name == name)
    }

    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        self.attribute(name).map(|attribute| attribute.i)
    }

    pub(super) fn flag(&self, name: &str, default: bool) -> bool {
        self.integer(name).map_or(default, |value| value != 0)
    }

    pub(super) fn float(&self, name: &str, default: f32) -> f64 {
        f64::from(self.attribute(name).map_or(default, |attribute| attribute.f))
    }

    pub(super) fn text(&self, name: &str, default: &'static str) -> Result<&'a str> {
        match self.attribute(name) {
            Some(attribute) => std::str::from_utf8(&attribute.s).map_err(|_| format!("{name} is no text")),
            None => Ok(default),
        }
    }

    pub(super) fn integers(&self, name: &str) -> Option<&'a [i64]> {
        self.attribute(name).map(|attribute| attribute.ints.as_slice())
    }

    pub(super) fn floats(&self, name: &str) -> Option<&'a [f32]> {
        self.attribute(name).map(|attribute| attribute.floats.as_slice())
    }

    pub(super) fn tensor(&self, name: &str) -> Option<&'a TensorProto> {
        self.attribute(name).and_then(|attribute| attribute.t.as_ref())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.attribute(name).is_some()
    }

    // === inputs ===

    pub(super) fn inputs(&self) -> usize {
        self.node.input.len()
    }

    /// `None` when it is left out.
    pub(super) fn optional(&self, index: usize) -> Result<Option<&'a Known>> {
        match self.node.input.get(index).filter(|name| !name.is_empty()) {
            Some(name) => self.importer.look_up(name).map(Some),
            None => Ok(None),
        }
    }

    pub(super) fn input(&self, index: usize) -> Result<&'a Known> {
        self.optional(index)?.ok_or_else(|| format!("its input {index} is missing"))
    }

    /// A constant input; `None` when it is left out.
    pub(super) fn optional_constant(&self, index: usize) -> Result<Option<&'a Constant>> {
        match self.optional(index)? {
            Some(Known::Constant(constant)) => Ok(Some(constant)),
            Some(Known::Value { .. }) => Err(format!(
                "its input {:?} is computed from the picture, only constants are supported there",
                self.node.input[index]
            )),
            None => Ok(None),
        }
    }

    pub(super) fn constant(&self, index: usize) -> Result<&'a Constant> {
        self.optional_constant(index)?.ok_or_else(|| format!("its input {index} is missing"))
    }

    pub(super) fn kind(&self, index: usize) -> Result<DType> {
        Ok(self.input(index)?.kind())
    }

    /// The shape of an input for one picture, as ONNX has it.
    pub(super) fn shape(&self, index: usize) -> Result<Vec<usize>> {
        Ok(match self.input(index)? {
            Known::Value { id, .. } => self.importer.values[*id].shape.clone(),
            Known::Constant(constant) => constant.shape(),
        })
    }

    /// The axis of an input along which the pictures of a batch lie.
    pub(super) fn batch(&self, index: usize) -> Result<Option<usize>> {
        Ok(match self.input(index)? {
            Known::Value { id, .. } => self.importer.values[*id].batch,
            Known::Constant(_) => None,
        })
    }

    /// The shape of an input for two pictures, where that differs.
    pub(super) fn doubled_shape(&self, index: usize) -> Result<Option<Vec<usize>>> {
        let shape = self.shape(index)?;
        Ok(match self.input(index)? {
            Known::Value { .. } => self.batch(index)?.map(|batch| doubled(&shape, batch)),
            Known::Constant(constant) => constant.doubled.as_ref().map(shape_of),
        })
    }

    /// Whole numbers given as an input; `None` when it is left out.
    pub(super) fn list(&self, index: usize) -> Result<Option<List>> {
        let Some(constant) = self.optional_constant(index)? else { return Ok(None) };
        // Rounded towards zero and cut off at the limits, so that "to the very end" stays that.
        let whole = |values: Vec<f64>| values.into_iter().map(|value| value as i64).collect();
        let values = whole(read(constant.tensor.clone())?);
        let doubled = constant.doubled.clone().map(read).transpose()?.map(whole);
        Ok(Some(List { values, doubled }))
    }

    /// Whole numbers given as an input or, by older opsets, as an attribute.
    pub(super) fn list_or_attribute(&self, index: usize, name: &str) -> Result<Option<List>> {
        let attribute = self.integers(name).map(|values| List { values: values.to_vec(), doubled: None });
        Ok(self.list(index)?.or(attribute))
    }

    /// A number given as an input; `None` when it is left out.
    pub(super) fn number(&self, index: usize) -> Result<Option<f64>> {
        let Some(constant) = self.optional_constant(index)? else { return Ok(None) };
        match read(constant.tensor.clone())?[..] {
            [value] => Ok(Some(value)),
            _ => Err(format!("its input {index} is no single number")),
        }
    }

    /// Where an attribute says which axis.
    pub(super) fn axis(&self, default: i64, rank: usize) -> Result<usize> {
        axis(self.integer("axis").unwrap_or(default), rank)
    }

    // === results ===

    /// Applies an operator to the first inputs, all of which must be there.
    pub(super) fn apply_to(&self, count: usize, operator: Operator) -> Result<Applied> {
        let operands = (0..count).map(|index| self.input(index).cloned()).collect::<Result<_>>()?;
        Ok(Applied::new(operator, operands))
    }

    /// Applies an operator to the first input only; the others are settings.
    pub(super) fn apply(&self, operator: Operator) -> Result<Converted> {
        self.apply_to(1, operator).map(Converted::Apply)
    }
}

/// Counted from the front, where below 0 it counts from the end.
pub(super) fn axis(axis: i64, rank: usize) -> Result<usize> {
    let from_front = if axis < 0 { axis.saturating_add(rank as i64) } else { axis };
    let valid = usize::try_from(from_front).ok().filter(|axis| *axis < rank);
    valid.ok_or_else(|| format!("there is no axis {axis} of {rank}"))
}

/// Sides or counts, which are not below 0.
pub(super) fn counts(values: &[i64], what: &str) -> Result<Vec<usize>> {
    let counts: Option<Vec<usize>> = values.iter().map(|value| usize::try_from(*value).ok()).collect();
    counts.ok_or_else(|| format!("its {what} {values:?} are not valid"))
}
