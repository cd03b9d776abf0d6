//! What a file takes, read without its weights: half a gigabyte need not be in memory to know the size of a picture.

use onnx_ir::{GraphProto, TensorProto};
use protobuf::{CodedInputStream, Error, rt};

/// The length-delimited form of a field, after whose tag its length follows.
const LENGTH_DELIMITED: u32 = 2;

/// Numbers of the format's fields.
const MODEL_GRAPH: u32 = 7;
const GRAPH_INITIALIZER: u32 = 5;
const GRAPH_INPUT: u32 = 11;
const TENSOR_NAME: u32 = 8;

/// A file's graph with its inputs and the names of its weights, and nothing else; `None` when it has no graph.
pub(super) fn outline(file: &mut CodedInputStream<'_>) -> Result<Option<GraphProto>, Error> {
    let mut graph = None;
    each_field(file, |file, field| match field {
        MODEL_GRAPH => {
            let graph = graph.get_or_insert_with(GraphProto::default);
            within(file, |file, field| outline_graph(file, field, graph)).map(|()| true)
        }
        _ => Ok(false),
    })?;
    Ok(graph)
}

fn outline_graph(file: &mut CodedInputStream<'_>, field: u32, graph: &mut GraphProto) -> Result<bool, Error> {
    match field {
        GRAPH_INPUT => graph.input.push(file.read_message()?),
        GRAPH_INITIALIZER => {
            let mut tensor = TensorProto::default();
            within(file, |file, field| match field {
                TENSOR_NAME => file.read_string_into(&mut tensor.name).map(|()| true),
                _ => Ok(false),
            })?;
            graph.initializer.push(tensor);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Reads a message's length and what `take` takes of its fields.
fn within<'a>(
    file: &mut CodedInputStream<'a>,
    take: impl FnMut(&mut CodedInputStream<'a>, u32) -> Result<bool, Error>,
) -> Result<(), Error> {
    let length = file.read_raw_varint64()?;
    let outer = file.push_limit(length)?;
    each_field(file, take)?;
    file.pop_limit(outer);
    Ok(())
}

/// Gives each length-delimited field's number to `take`, and skips those that it leaves.
fn each_field<'a>(
    file: &mut CodedInputStream<'a>,
    mut take: impl FnMut(&mut CodedInputStream<'a>, u32) -> Result<bool, Error>,
) -> Result<(), Error> {
    while let Some(tag) = file.read_raw_tag_or_eof()? {
        let taken = tag & 7 == LENGTH_DELIMITED && take(file, tag >> 3)?;
        if !taken {
            rt::skip_field_for_tag(tag, file)?;
        }
    }
    Ok(())
}
