//! The interpreter's graph: nodes in topological order, each run once for an inference.

pub(crate) mod convert;
pub(crate) mod import;
pub(crate) mod integers;
mod names;

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::cuts::Wiring;
use crate::error::ModelError;
use crate::operators::{Operator, Primitive};

/// A value's number: 0 is the network's input, `i + 1` what node `i` makes.
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
    pub(crate) macs: u64,
}

impl Node {
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
}

/// A network as the interpreter runs it.
#[derive(Debug, Clone)]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
    pub(crate) values: Vec<ValueInfo>,
    pub(crate) output: ValueId,
    pub(crate) wiring: Wiring,
}

impl Graph {
    pub(crate) fn new(nodes: Vec<Node>, values: Vec<ValueInfo>, output: ValueId) -> Self {
        let reads: Vec<Vec<ValueId>> = nodes.iter().map(Node::reads).collect();
        Self { wiring: Wiring::new(&reads, output), nodes, values, output }
    }

    /// Runs some nodes on the values that cross into them and gives the values wanted.
    ///
    /// Each value is dropped as soon as its last reader has it, so that one that nobody else holds is
    /// overwritten in place.
    pub(crate) fn run(
        &self,
        nodes: Range<usize>,
        given: Vec<(ValueId, Primitive)>,
        wanted: &[ValueId],
    ) -> Result<Vec<Primitive>, ModelError> {
        // Burn reports what it cannot do by panicking.
        catch_unwind(AssertUnwindSafe(|| self.run_unguarded(nodes, given, wanted)))
            .unwrap_or_else(|panic| Err(ModelError::Computation(message_of(panic.as_ref()))))
    }

    fn run_unguarded(
        &self,
        nodes: Range<usize>,
        given: Vec<(ValueId, Primitive)>,
        wanted: &[ValueId],
    ) -> Result<Vec<Primitive>, ModelError> {
        let mut slots: Vec<Option<Primitive>> = vec![None; self.values.len()];
        for (value, tensor) in given {
            slots[value] = Some(tensor);
        }
        for index in nodes {
            let node = &self.nodes[index];
            let operands = self.operands(index, &mut slots)?;
            let made = node.operator.run(operands).map_err(|_| {
                ModelError::Computation(format!("node {:?} has a wrong number of operands", node.name))
            })?;
            slots[index + 1] = Some(made);
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

/// The text of a panic.
pub(crate) fn message_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown panic".to_owned())
}
