"""Makes deploy/demo/pictures from drawn pictures: the PNG files and labels.csv that the demo of `docker compose up` replays.

    cargo run --release -p demo-network --example draw -- 7 24 drawn.raw
    python3 deploy/demo/pictures.py drawn.raw deploy/demo/pictures
"""

import struct
import sys
import zlib
from pathlib import Path

SIDE = 64


def png(rgb: bytes) -> bytes:
    rows = b"".join(b"\0" + rgb[row * SIDE * 3 : (row + 1) * SIDE * 3] for row in range(SIDE))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def main() -> None:
    raw, folder = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    size = 1 + SIDE * SIDE * 3
    lines = ["file,class_index"]
    for index in range(len(raw) // size):
        drawn = raw[index * size : (index + 1) * size]
        name = f"{index:02}.png"
        (folder / name).write_bytes(png(drawn[1:]))
        lines.append(f"{name},{drawn[0]}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")


main()
