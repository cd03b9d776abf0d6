//! The interpreter's graph: nodes in topological order, each run once for an inference.

mod batch;
pub(crate) mod constant;
mod convert;
pub(crate) mod file;
mod fuse;
pub(crate) mod import;
mod naming;
mod outline;

use std::collections::HashMap;
use std::ops::Range;

use burn_backend::DType;

use self::constant::Constant;
use crate::cuts::Wiring;
use crate::error::ModelError;
use crate::guard::guarded;
use crate::kernels::Clamp;
use crate::network::GREATEST_BATCH;
use crate::operators::{Operator, Primitive, Spare, matrix, shape_of};

/// A value's number: 0 is the network's input, then what each node makes.
pub(crate) type ValueId = usize;

/// What a node reads.
#[derive(Debug, Clone)]
pub(crate) enum Operand {
    Value(ValueId),
    /// Weights; clones share the data, so all cuts of a network do.
    Constant(Primitive),
}

/// One operator applied to its operands.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) operator: Operator,
    pub(crate) operands: Vec<Operand>,
    /// The values it makes.
    pub(crate) makes: Range<ValueId>,
    pub(crate) macs: u64,
}

impl Node {
    /// The same node with its constants laid out for our own kernels, where there is one for it.
    fn prepared(mut self) -> Self {
        let prepared = match (&self.operator, self.operands.as_slice()) {
            (Operator::Convolution(settings), [_, Operand::Constant(weights)]) => {
                settings.prepare(weights, None).map(Operator::Direct)
            }
            (Operator::Convolution(settings), [_, Operand::Constant(weights), Operand::Constant(bias)]) => {
                settings.prepare(weights, Some(bias)).map(Operator::Direct)
            }
            (Operator::MatMul | Operator::Linear, [_, Operand::Constant(weights)]) => {
                matrix::Prepared::new(weights, None).map(Operator::Product)
            }
            (Operator::Linear, [_, Operand::Constant(weights), Operand::Constant(bias)]) => {
                matrix::Prepared::new(weights, Some(bias)).map(Operator::Product)
            }
            _ => None,
        };
        if let Some(prepared) = prepared {
            self.operator = prepared;
            self.operands.truncate(1);
        }
        self
    }

    /// The numbers of its constant operands.
    fn parameters(&self) -> u64 {
        let numbers = self.operands.iter().map(|operand| match operand {
            Operand::Value(_) => 0,
            Operand::Constant(tensor) => shape_of(tensor).iter().map(|side| *side as u64).product(),
        });
        numbers.sum()
    }

    /// The values it reads.
    pub(crate) fn reads(&self) -> Vec<ValueId> {
        let values = self.operands.iter().filter_map(|operand| match operand {
            Operand::Value(value) => Some(*value),
            Operand::Constant(_) => None,
        });
        values.collect()
    }
}

/// The name and shape of a value, for a batch of one.
#[derive(Debug, Clone)]
pub(crate) struct ValueInfo {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    /// What the file says its elements are; here all are computed in `f32`.
    pub(crate) kind: DType,
    /// The axis along which the pictures of a batch lie. Where a file puts the tokens of a picture before the pictures
    /// in one axis, those of several pictures alternate there.
    pub(crate) batch: Option<usize>,
}

impl ValueInfo {
    /// How many pictures a tensor of this shape holds; `None` when it is no such value.
    pub(crate) fn pictures(&self, shape: &[usize]) -> Option<usize> {
        if shape == self.shape {
            return Some(1);
        }
        let axis = self.batch?;
        let each = *self.shape.get(axis)?;
        let held = shape.get(axis)?.checked_div(each)?;
        let mut one = shape.to_vec();
        one[axis] = each;
        let fits = one == self.shape && shape[axis] == held * each;
        (fits && (1..=GREATEST_BATCH).contains(&held)).then_some(held)
    }
}

/// A network as the interpreter runs it.
#[derive(Debug, Clone)]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
    pub(crate) values: Vec<ValueInfo>,
    pub(crate) output: ValueId,
    pub(crate) wiring: Wiring,
    /// For each node the numbers of its weights.
    pub(crate) parameters: Vec<u64>,
    /// What the file computes from its input's shape, by name: constants, since the shape is fixed here.
    pub(crate) derived: HashMap<String, Constant>,
    /// For each node the activation that the next one is, where both are computed at once when both are to run. They
    /// stay two nodes, between which the network can be cut.
    clamps: Vec<Option<Clamp>>,
}

/// The clamp that the next node is, if this one is a convolution that nothing else reads.
fn clamp_after(index: usize, nodes: &[Node], wiring: &Wiring) -> Option<Clamp> {
    let (node, next) = (nodes.get(index)?, nodes.get(index + 1)?);
    let Operator::Direct(_) = node.operator else { return None };
    let made = node.makes.start;
    let alone = next.reads() == [made] && wiring.is_last_reader(index + 1, made);
    next.operator.as_clamp().filter(|_| alone)
}

impl Graph {
    pub(crate) fn new(
        nodes: Vec<Node>,
        values: Vec<ValueInfo>,
        derived: HashMap<String, Constant>,
        output: ValueId,
    ) -> Self {
        // Our own kernels take the weights in.
        let parameters = nodes.iter().map(Node::parameters).collect();
        let nodes: Vec<Node> = nodes.into_iter().map(Node::prepared).collect();
        let reads: Vec<Vec<ValueId>> = nodes.iter().map(Node::reads).collect();
        let makes: Vec<usize> = nodes.iter().map(|node| node.makes.len()).collect();
        let wiring = Wiring::new(&reads, &makes, output);
        let clamps = (0..nodes.len()).map(|index| clamp_after(index, &nodes, &wiring)).collect();
        Self { wiring, nodes, values, output, parameters, derived, clamps }
    }

    /// Runs some nodes on the values that cross into them and gives the values wanted.
    ///
    /// Each value is dropped as soon as its last reader has it, so that one that nobody else holds is
    /// overwritten in place. `done` hears of each node when what it makes is there; of two that are computed at once it
    /// hears of the first.
    pub(crate) fn run(
        &self,
        nodes: Range<usize>,
        given: Vec<(ValueId, Primitive)>,
        wanted: &[ValueId],
        spare: &mut Spare,
        done: &mut dyn FnMut(usize),
    ) -> Result<Vec<Primitive>, ModelError> {
        // Burn reports what it cannot do by panicking.
        guarded(|| self.run_unguarded(nodes, given, wanted, spare, done))
            .unwrap_or_else(|panic| Err(ModelError::Computation(panic)))
    }

    fn run_unguarded(
        &self,
        nodes: Range<usize>,
        given: Vec<(ValueId, Primitive)>,
        wanted: &[ValueId],
        spare: &mut Spare,
        done: &mut dyn FnMut(usize),
    ) -> Result<Vec<Primitive>, ModelError> {
        let mut slots: Vec<Option<Primitive>> = vec![None; self.values.len()];
        for (value, tensor) in given {
            slots[value] = Some(tensor);
        }
        let mut left = nodes.clone();
        while let Some(mut index) = left.next() {
            let mut node = &self.nodes[index];
            let operands = self.operands(index, &mut slots)?;
            let clamp = self.clamps[index].filter(|_| !left.is_empty());
            let made = match clamp {
                Some(clamp) => node.operator.run_clamped(operands, clamp, spare).map(|made| vec![made]),
                None => node.operator.run(operands, spare),
            };
            let made = made.map_err(|_| {
                ModelError::Computation(format!("node {:?} has a wrong number of operands", node.name))
            })?;
            done(index);
            if clamp.is_some() {
                index = left.next().unwrap_or(index);
                node = &self.nodes[index];
            }
            for (value, tensor) in node.makes.clone().zip(made) {
                slots[value] = Some(tensor);
            }
        }
        wanted.iter().map(|value| slots[*value].take().ok_or_else(|| missing(*value))).collect()
    }

    fn operands(&self, index: usize, slots: &mut [Option<Primitive>]) -> Result<Vec<Primitive>, ModelError> {
        let operands = &self.nodes[index].operands;
        let read_again = |position: usize, value: ValueId| {
            operands[position + 1..].iter().any(|later| matches!(later, Operand::Value(v) if *v == value))
        };
        let take = |(position, operand): (usize, &Operand)| match operand {
            Operand::Constant(tensor) => Ok(tensor.clone()),
            Operand::Value(value) => {
                let last = self.wiring.is_last_reader(index, *value) && !read_again(position, *value);
                let slot = &mut slots[*value];
                if last { slot.take() } else { slot.clone() }.ok_or_else(|| missing(*value))
            }
        };
        operands.iter().enumerate().map(take).collect()
    }
}

fn missing(value: ValueId) -> ModelError {
    ModelError::Computation(format!("value {value} is not there"))
}

#[cfg(test)]
mod tests;
