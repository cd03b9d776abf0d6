#!/usr/bin/env python3
"""Classifies pictures with a running Splinter, over NATS.

    pip install nats-py
    python3 classify.py --model mobilenetv2 --latency-ms 200 cat.jpg dog.jpg

Prints one line a picture: class index, label, latency, joules with their sources, and the cut that ran.
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path

import nats


async def classify(connection, path, arguments):
    """The answer to one picture; errors come as JSON too, marked by a header."""
    headers = {"Splinter-Latency-Ms": str(arguments.latency_ms)}
    if arguments.policy:
        headers["Splinter-Policy"] = arguments.policy
    subject = f"splinter.v1.infer.{arguments.model}"
    message = await connection.request(subject, path.read_bytes(), timeout=arguments.timeout, headers=headers)
    answer = json.loads(message.data)
    if message.headers and "Nats-Service-Error" in message.headers:
        raise RuntimeError(f"{path}: {answer['kind']}: {answer['message']}")
    return answer


def line(path, answer):
    best = answer["top"][0]
    entries = answer["energy"]
    joules = f"{sum(entry['joules'] for entry in entries):.3f} J" if entries else "unknown energy"
    sources = "+".join(sorted({entry["source"] for entry in entries}))
    cut = answer["configuration"]["cut"]
    return f"{path.name}: {best['index']} {best['label']}, {answer['latency_ms']:.1f} ms, {joules} {sources}, cut {cut}"


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", nargs="+", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--latency-ms", type=float, default=1000)
    parser.add_argument("--policy", help="dynasplit, cloud, edge, latency or energy")
    parser.add_argument("--broker", default="nats://127.0.0.1:4222")
    parser.add_argument("--timeout", type=float, default=30, help="seconds to wait for an answer")
    arguments = parser.parse_args()
    connection = await nats.connect(arguments.broker)
    try:
        for path in arguments.pictures:
            print(line(path, await classify(connection, path, arguments)), flush=True)
    except (RuntimeError, nats.errors.Error, OSError) as error:
        sys.exit(f"{error or type(error).__name__}")
    finally:
        await connection.close()


if __name__ == "__main__":
    asyncio.run(main())
