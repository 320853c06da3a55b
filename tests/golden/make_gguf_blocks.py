# SPDX-License-Identifier: Apache-2.0
"""Writes gguf_blocks.bin: random blocks of every stored type and what the `gguf` Python package makes of them.

Run with numpy and gguf installed: python3 tests/golden/make_gguf_blocks.py
Record: 8-byte name padded with NUL, u32 bytes of blocks, u32 number of values, the blocks, the values as f32; all
little-endian. Scales are finite and cover both signs, zero and subnormals; every other byte is random.
"""
import pathlib
import struct

import numpy as np
from gguf import GGMLQuantizationType, dequantize

SCALES = {  # byte offsets of f16 fields in a block
    "Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2],
    "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
}
BLOCKS = {"Q8_0": (34, 16), "Q4_0": (18, 16), "Q4_1": (20, 16), "Q5_0": (22, 16), "Q5_1": (24, 16),
          "Q4_K": (144, 6), "Q5_K": (176, 6), "Q6_K": (210, 6)}
SPECIAL = np.array([0x0000, 0x8000, 0x0001, 0x83ff, 0x7bff, 0x3c00], dtype=np.uint16)  # 0, -0, subnormals, max, 1


def record(name, blocks, values):
    data = np.ascontiguousarray(blocks).tobytes()
    values = np.ascontiguousarray(values, dtype=np.float32).ravel()
    return name.lower().encode().ljust(8, b"\0") + struct.pack("<II", len(data), values.size) + data + values.tobytes()


def main():
    random = np.random.default_rng(20240607)
    out = b""
    for name, (size, count) in BLOCKS.items():
        blocks = random.integers(0, 256, (count, size), dtype=np.uint8)
        for field in SCALES[name]:
            scales = random.normal(0, 0.02, count).astype(np.float16).view(np.uint16)
            scales[: SPECIAL.size - 1] = random.permutation(SPECIAL)[: SPECIAL.size - 1]
            blocks[:, field:field + 2] = scales.view(np.uint8).reshape(count, 2)
        with np.errstate(over="ignore"):
            values = dequantize(blocks, GGMLQuantizationType[name])
        assert not np.isnan(values).any(), name
        out += record(name, blocks, values)
    halves = random.integers(0, 1 << 16, 512, dtype=np.uint16)
    halves = halves[np.isfinite(halves.view(np.float16))]
    out += record("F16", halves, halves.view(np.float16).astype(np.float32))
    brains = random.integers(0, 1 << 16, 512, dtype=np.uint16)
    wide = (brains.astype(np.uint32) << 16).view(np.float32)
    out += record("BF16", brains[np.isfinite(wide)], wide[np.isfinite(wide)])
    singles = random.normal(0, 1, 64).astype(np.float32)
    out += record("F32", singles, singles)
    pathlib.Path(__file__).with_name("gguf_blocks.bin").write_bytes(out)
    print(len(out), "bytes")


if __name__ == "__main__":
    main()
