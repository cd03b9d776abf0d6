"""Writes a network with a picture and what ONNX Runtime makes of it.

NAME.onnx is the network, NAME.tensors a GraphProto whose initializers are "input" and "output" (as float32,
whatever their type in the network; an input of int8 is in 64ths, which keeps pictures small).
"""

import pathlib

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


def run(model: onnx.ModelProto, picture: numpy.ndarray) -> numpy.ndarray:
    """What ONNX Runtime makes of a picture, operator by operator as the file says."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, {session.get_inputs()[0].name: picture})[0]


def write(folder: pathlib.Path, name: str, model: onnx.ModelProto, picture: numpy.ndarray) -> None:
    """Writes both files; fails where ONNX Runtime refuses the network."""
    floats = picture.astype(numpy.float32) / 64 if picture.dtype == numpy.int8 else picture
    output = numpy.asarray(run(model, floats)).astype(numpy.float32)
    tensors = helper.make_graph(
        [],
        name,
        [],
        [],
        [numpy_helper.from_array(picture, "input"), numpy_helper.from_array(output, "output")],
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.onnx").write_bytes(model.SerializeToString())
    (folder / f"{name}.tensors").write_bytes(tensors.SerializeToString())


def network(nodes, weights, shape, opset: int, output_type=TensorProto.FLOAT) -> onnx.ModelProto:
    """A network from "x", of the given shape, to "y"."""
    graph = helper.make_graph(
        nodes,
        "fixture",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", output_type, None)],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(
        graph, producer_name="splinter", opset_imports=[helper.make_opsetid("", opset)]
    )
    model.ir_version = 8 if opset <= 18 else 10
    return model
