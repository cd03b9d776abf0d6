"""Exports whole networks, each by PyTorch's old exporter and its new one. See README.md.

    networks.py shrunken        writes ../fixtures/networks (committed)
    networks.py whole FOLDER    writes torchvision's zoo, timm's networks and quantised ones (large)
"""

import io
import logging
import pathlib
import sys
import tempfile
import warnings

import numpy
import onnx
import torch
from onnxruntime import quantization
from onnxruntime.quantization.shape_inference import quant_pre_process

import fixture
import zoo

SHRUNKEN = pathlib.Path(__file__).parent.parent / "fixtures" / "networks"
random = numpy.random.default_rng(11)


def exported(network: torch.nn.Module, size: int, new: bool) -> onnx.ModelProto:
    """By the old exporter (tracing, opset 17) or the new one (its own opset), for any number of pictures."""
    network.eval()
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if new:
            batch = torch.export.Dim("batch", min=1, max=64)
            program = torch.onnx.export(
                network, (torch.randn(2, 3, size, size),), dynamo=True, verbose=False,
                dynamic_shapes=({0: batch},), input_names=["input"], output_names=["output"])
            return program.model_proto
        torch.onnx.export(
            network, (torch.randn(1, 3, size, size),), buffer, dynamo=False, opset_version=17,
            dynamic_axes={"input": {0: "batch"}}, input_names=["input"], output_names=["output"])
    return onnx.load_from_string(buffer.getvalue())


def liven(network: torch.nn.Module) -> torch.nn.Module:
    """Statistics other than 0 and 1, so that normalisations do something; outputs of a size that tells."""
    generator = torch.Generator().manual_seed(3)
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm) and module.track_running_stats:
            module.running_mean.copy_(torch.randn(module.running_mean.shape, generator=generator) * 0.1)
            module.running_var.copy_(torch.rand(module.running_var.shape, generator=generator) + 0.5)
    for weights in network.parameters():
        # Some heads begin as zeros, and so would every output.
        if not weights.any():
            weights.data.copy_(torch.randn(weights.shape, generator=generator) * 0.1)
    return network


def bare(model: onnx.ModelProto) -> onnx.ModelProto:
    """Without what only a debugger reads, and with short names, so that the committed file is small."""
    model.producer_version = ""
    del model.metadata_props[:]
    graph = model.graph
    del graph.value_info[:], graph.metadata_props[:]
    graph.doc_string = ""
    short = {"": "", "input": "input", "output": "output"}
    name = lambda old: short.setdefault(old, f"v{len(short)}")
    for tensor in graph.initializer:
        tensor.name, tensor.doc_string = name(tensor.name), ""
        del tensor.metadata_props[:]
    for index, node in enumerate(graph.node):
        node.name, node.doc_string = f"{node.op_type.lower()}_{index}", ""
        del node.metadata_props[:]
        node.input[:] = [name(old) for old in node.input]
        node.output[:] = [name(old) for old in node.output]
    return model


def write(folder: pathlib.Path, name: str, network: torch.nn.Module, size: int, new: bool, small: bool) -> None:
    try:
        model = exported(network, size, new)
    except Exception as error:  # an exporter's bug is no fault of ours: said, not hidden
        print(f"{name}: NOT EXPORTED: {str(error).splitlines()[0][:200]}", flush=True)
        return
    picture = random.integers(-128, 128, (1, 3, size, size), dtype=numpy.int8)
    fixture.write(folder, name, bare(model) if small else model, picture)
    print(f"{name}: {len(model.graph.node)} nodes, {(folder / f'{name}.onnx').stat().st_size // 1024} KiB", flush=True)


def quantise(folder: pathlib.Path, name: str, per_channel: bool, kind) -> None:
    """A network of the folder with quantised weights and activations (QDQ)."""
    picture = onnx.numpy_helper.to_array(
        onnx.GraphProto.FromString((folder / f"{name}.tensors").read_bytes()).initializer[0])
    floats = picture.astype(numpy.float32) / 64

    class Pictures(quantization.CalibrationDataReader):
        def __init__(self):
            self.left = iter([{"input": floats}, {"input": numpy.flip(floats, 2).copy()}])

        def get_next(self):
            return next(self.left, None)

    with tempfile.TemporaryDirectory() as scratch:
        prepared, quantised = f"{scratch}/prepared.onnx", f"{scratch}/quantised.onnx"
        quant_pre_process(str(folder / f"{name}.onnx"), prepared, skip_symbolic_shape=True)
        quantization.quantize_static(
            prepared, quantised, Pictures(), quant_format=quantization.QuantFormat.QDQ, per_channel=per_channel,
            activation_type=kind, weight_type=quantization.QuantType.QInt8)
        model = onnx.load(quantised)
    new = f"{name}-qdq{'-channels' if per_channel else ''}"
    model = bare(model) if folder == SHRUNKEN else model
    # Operators of ONNX only: the quantiser names its own domain without using it.
    fixture.write(folder, new, model, picture)
    print(f"{new}: {len(model.graph.node)} nodes", flush=True)


def main() -> None:
    logging.disable(logging.ERROR)
    what = sys.argv[1]
    if what == "shrunken":
        SHRUNKEN.mkdir(parents=True, exist_ok=True)
        chosen = sys.argv[2:]
        for old in [] if chosen else SHRUNKEN.glob("*"):
            old.unlink()
        for name, (size, make) in zoo.SHRUNKEN.items():
            if chosen and name not in chosen:
                continue
            torch.manual_seed(5)
            network = liven(make())
            for new in zoo.EXPORTERS.get(name, (False, True)):
                write(SHRUNKEN, f"{name}-{'new' if new else 'old'}", network, size, new, small=True)
        if chosen:
            return
        quantise(SHRUNKEN, "resnet18-old", False, quantization.QuantType.QUInt8)
        quantise(SHRUNKEN, "mobilenet_v2-old", True, quantization.QuantType.QInt8)
        quantise(SHRUNKEN, "yolo_v8-old", False, quantization.QuantType.QUInt8)
        return
    folder = pathlib.Path(sys.argv[2])
    chosen = sys.argv[3:]
    for group, make in ((zoo.WHOLE, zoo.whole), (zoo.TIMM, zoo.timm_network)):
        for name, size in group.items():
            if chosen and name not in chosen:
                continue
            torch.manual_seed(5)
            network = liven(make(name))
            for new in (False, True):
                write(folder, f"{name}-{'new' if new else 'old'}", network, size, new, small=False)
    if not chosen:
        quantise(folder, "resnet50-old", True, quantization.QuantType.QUInt8)
        quantise(folder, "mobilenet_v2-old", False, quantization.QuantType.QInt8)


if __name__ == "__main__":
    main()
