"""Divides networks at their cuts with `splinter model cut` and checks the halves with ONNX's checker and ONNX Runtime.

    python halves.py SPLINTER NETWORK.onnx...    [--every N]

Each half must pass the checker with full shape inference, and tail after head must give what the whole network gives.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import onnx
import onnxruntime

# ONNX Runtime fuses other operators when a network is in one piece: sums are made in another order.
ABSOLUTE, RELATIVE = 1e-4, 1e-3


def session(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    # As the file has it, so that what is compared is the division and not the runtime's own fusions.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def picture(given, seed):
    shape = [side if isinstance(side, int) else 1 for side in given.shape]
    return numpy.random.default_rng(seed).standard_normal(shape).astype(numpy.float32)


def check(splinter, network, every):
    inspected = subprocess.run([splinter, "model", "inspect", network, "--json"], capture_output=True, text=True)
    if inspected.returncode:
        return f"{network}: NOT LOADED: {inspected.stderr.strip()[:300]}"
    cuts = json.loads(inspected.stdout)["cuts"]
    whole = session(network)
    given = whole.get_inputs()[0]
    x = picture(given, 7)
    expected = whole.run(None, {given.name: x})[0]
    greatest, tried, single = 0.0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for cut in cuts[1:-1:every]:
            made = subprocess.run(
                [splinter, "model", "cut", network, "--at", str(cut["cut"]), "-o", folder, "--force", "--json"],
                capture_output=True, text=True)
            where = f"{network}: cut {cut['cut']} ({cut['name']})"
            if made.returncode:
                return f"{where}: NOT CUT: {made.stderr.strip()[:300]}"
            single += json.loads(made.stdout)["one_picture"]
            try:
                for half in ("head", "tail"):
                    onnx.checker.check_model(f"{folder}/{half}.onnx", full_check=True)
                head, tail = session(f"{folder}/head.onnx"), session(f"{folder}/tail.onnx")
                frontier = head.run(None, {given.name: x})
                output = tail.run(None, {into.name: value for into, value in zip(tail.get_inputs(), frontier)})[0]
            except Exception as error:
                return f"{where}: NOT RUN: {str(error)[:400]}"
            difference = numpy.abs(output - expected)
            if not (difference <= ABSOLUTE + RELATIVE * numpy.abs(expected)).all():
                return f"{where}: DIFFERS by {difference.max()}"
            greatest, tried = max(greatest, float(difference.max())), tried + 1
    return f"{network}: {tried} of {len(cuts)} cuts right, largest difference {greatest:.1e}, {single} for one picture only"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("splinter", type=pathlib.Path)
    parser.add_argument("networks", nargs="+")
    parser.add_argument("--every", type=int, default=1)
    arguments = parser.parse_args()
    wrong = 0
    for network in arguments.networks:
        verdict = check(arguments.splinter, network, arguments.every)
        wrong += "right" not in verdict
        print(verdict, flush=True)
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
