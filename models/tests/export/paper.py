"""Exports the four networks of the DynaSplit paper with all their layers and few channels. See README.md.

    paper.py    writes ../fixtures/paper (committed)

Where a network can be cut does not depend on its channels. Names are those that PyTorch's old exporter gives.
"""

import io
import pathlib

import onnx
import torch
from torchvision import models

import networks
import zoo

FOLDER = pathlib.Path(__file__).parent.parent / "fixtures" / "paper"

NETWORKS = {
    "vgg16": lambda: zoo.by_division("vgg16", 128),
    "resnet50": lambda: zoo.by_division("resnet50", 64),
    "mobilenet_v2": lambda: zoo.by_division("mobilenet_v2", 32),
    "vit_b_16": lambda: models.VisionTransformer(
        image_size=32, patch_size=16, num_layers=12, num_heads=2, hidden_dim=8, mlp_dim=8, num_classes=10),
}


def exported(network, size):
    """For one picture: sizes of the picture are numbers then, which keeps the file small."""
    buffer = io.BytesIO()
    torch.onnx.export(
        network.eval(), (torch.randn(1, 3, size, size),), buffer, dynamo=False, opset_version=17,
        input_names=["input"], output_names=["output"])
    return onnx.load_from_string(buffer.getvalue())


def main():
    FOLDER.mkdir(exist_ok=True)
    for name, build in NETWORKS.items():
        torch.manual_seed(5)
        with torch.no_grad():
            network = networks.liven(build())
        model = exported(network, 32 if name == "vit_b_16" else 224)
        del model.graph.value_info[:]
        for node in model.graph.node:
            node.doc_string = ""
            del node.metadata_props[:]
        path = FOLDER / f"{name}.onnx"
        path.write_bytes(model.SerializeToString(deterministic=True))
        print(f"{name}: {path.stat().st_size} bytes, {len(model.graph.node)} nodes")


if __name__ == "__main__":
    main()
