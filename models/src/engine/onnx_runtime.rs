//! ONNX Runtime, loaded from its shared library when the first network needs it.
//!
//! Each part of a network that is asked for becomes a session of its own, made of the head or tail file that
//! [`crate::split`] writes: the first use of a cut takes as long as loading such a file. Sessions hold their own copy of
//! their weights, so only the parts last used are kept.

mod library;

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use ort::environment::Environment;
use ort::session::{Session, SessionInputValue};
use ort::value::{TensorElementType, ValueType};
use schemas::{Accelerator, Tensor};

use super::{Engine, Part};
use crate::bundle::Bundle;
use crate::error::ModelError;
use crate::graph::{Graph, file};
use crate::split;

/// Most sessions of one network: the cuts between which a scheduler alternates. The greatest network here has half a
/// gigabyte of weights, of which heads and tails have a part each.
const MOST_SESSIONS: usize = 6;

/// One network's sessions.
#[derive(Debug)]
pub(super) struct OnnxRuntime {
    bundle: Bundle,
    graph: Arc<Graph>,
    environment: &'static Environment,
    /// The one used last is last.
    sessions: Mutex<Vec<(Key, Arc<Mutex<Session>>)>>,
}

/// What is run, and on how many threads: a session's are fixed when it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    part: Part,
    threads: NonZeroUsize,
}

impl OnnxRuntime {
    /// Loads the library where it is not yet, and the whole network, which shows that the runtime takes its file.
    pub(super) fn load(bundle: &Bundle, graph: Arc<Graph>) -> Result<Self, ModelError> {
        let environment = library::environment()?;
        let engine = Self { bundle: bundle.clone(), graph, environment, sessions: Mutex::new(Vec::new()) };
        engine.session(Key { part: Part::Whole, threads: threads() })?;
        Ok(engine)
    }

    fn session(&self, key: Key) -> Result<Arc<Mutex<Session>>, ModelError> {
        // Held while a session is made: two threads that want the same one would make it twice.
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = sessions.iter().position(|(known, _)| *known == key) {
            let used = sessions.remove(at);
            sessions.push(used);
        } else {
            let session = self.make(key)?;
            if sessions.len() >= MOST_SESSIONS {
                sessions.remove(0);
            }
            sessions.push((key, Arc::new(Mutex::new(session))));
        }
        let last = sessions.last().map(|(_, session)| session.clone());
        last.ok_or_else(|| ModelError::Computation("no session".to_owned()))
    }

    fn make(&self, key: Key) -> Result<Session, ModelError> {
        let bytes = match key.part {
            Part::Whole => self.bundle.onnx()?,
            Part::Head(place) => self.halves(place)?.head.into(),
            Part::Tail(place) => self.halves(place)?.tail.into(),
        };
        let made = Session::builder(self.environment)
            .and_then(|builder| Ok(builder.with_intra_threads(key.threads.get())?.with_inter_threads(1)?))
            .and_then(|mut builder| builder.commit_from_memory(&bytes));
        made.map_err(|error| refused(&error))
    }

    fn halves(&self, place: usize) -> Result<split::Halves, ModelError> {
        let model = file::parse(self.bundle.source(), self.bundle.name().as_str())?;
        split::halves(model, &self.graph, place)
    }
}

impl Engine for OnnxRuntime {
    fn run(&self, part: Part, given: &[Tensor<'_>]) -> Result<Vec<Tensor<'static>>, ModelError> {
        let session = self.session(Key { part, threads: threads() })?;
        let mut session = session.lock().unwrap_or_else(PoisonError::into_inner);
        let inputs = session.inputs().iter().zip(given);
        let inputs: Vec<SessionInputValue<'_>> =
            inputs.map(|(input, tensor)| value(input.dtype(), tensor)).collect::<Result<_, _>>()?;
        let outputs = session.run(inputs.as_slice()).map_err(|error| computing(&error))?;
        outputs.values().map(|output| tensor(&output)).collect()
    }
}

/// As many as rayon's pool around it has.
fn threads() -> NonZeroUsize {
    NonZeroUsize::new(rayon::current_num_threads()).unwrap_or(NonZeroUsize::MIN)
}

/// A tensor in the type that the file has at this place; here all are `f32`.
fn value(wanted: &ValueType, tensor: &Tensor<'_>) -> Result<SessionInputValue<'static>, ModelError> {
    let shape: Vec<i64> =
        tensor.shape().iter().map(|side| i64::try_from(*side).unwrap_or(i64::MAX)).collect();
    let numbers = tensor.to_f32()?;
    macro_rules! of {
        ($kind:ty) => {
            ort::value::Tensor::from_array((
                shape,
                numbers.iter().map(|number| *number as $kind).collect::<Vec<$kind>>(),
            ))
            .map(SessionInputValue::from)
        };
    }
    let made = match wanted.tensor_type() {
        Some(TensorElementType::Float32) => {
            ort::value::Tensor::from_array((shape, numbers)).map(SessionInputValue::from)
        }
        Some(TensorElementType::Uint8) => of!(u8),
        Some(TensorElementType::Int8) => of!(i8),
        Some(TensorElementType::Int32) => of!(i32),
        Some(TensorElementType::Int64) => of!(i64),
        other => {
            return Err(ModelError::Computation(format!("tensors of {other:?} cannot cross a cut here")));
        }
    };
    made.map_err(|error| computing(&error))
}

fn tensor(output: &ort::value::ValueRef<'_>) -> Result<Tensor<'static>, ModelError> {
    macro_rules! of {
        ($kind:ty) => {
            output.try_extract_tensor::<$kind>().map(|(shape, numbers)| {
                (shape.to_vec(), numbers.iter().map(|number| *number as f32).collect::<Vec<f32>>())
            })
        };
    }
    let (shape, numbers) = match output.dtype().tensor_type() {
        Some(TensorElementType::Uint8) => of!(u8),
        Some(TensorElementType::Int8) => of!(i8),
        Some(TensorElementType::Int32) => of!(i32),
        Some(TensorElementType::Int64) => of!(i64),
        _ => of!(f32),
    }
    .map_err(|error| computing(&error))?;
    let shape = shape.into_iter().map(|side| u64::try_from(side).unwrap_or(0)).collect();
    Ok(Tensor::from_f32(shape, &numbers)?)
}

fn refused(error: &ort::Error) -> ModelError {
    let reason = format!("it does not take the network: {error}");
    ModelError::Accelerator { accelerator: Accelerator::OnnxRuntime, reason }
}

fn computing(error: &dyn std::fmt::Display) -> ModelError {
    ModelError::Computation(error.to_string())
}
