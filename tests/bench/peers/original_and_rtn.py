# SPDX-License-Identifier: Apache-2.0
"""The original model and plain round-to-nearest in torch, by the protocol of README.md. Two lines of JSON."""
import time

import torch

import protocol


def quantize_dequantize(weight):
    """Zero always lies in the range, the scale is float16: what Scrooge calls rtn."""
    groups = weight.view(-1, protocol.GROUP)
    low, high = groups.amin(1, keepdim=True).clamp(max=0), groups.amax(1, keepdim=True).clamp(min=0)
    scale = ((high - low) / protocol.MAX_CODE).half().float().clamp(min=6e-8)
    zero = (-torch.round(low / scale)).clamp(0, protocol.MAX_CODE)
    return ((torch.round(groups / scale) + zero).clamp(0, protocol.MAX_CODE) - zero).mul(scale).view_as(weight)


def main():
    options = protocol.arguments(__doc__).parse_args()
    folder = protocol.checkpoint(options)
    ids = protocol.read_ids(options, "test.txt")
    original, rounded = protocol.load(folder), protocol.load(folder)
    protocol.report(tool="original", **protocol.evaluate(original, None, ids, options.windows))
    started = time.monotonic()
    for _, linear in protocol.linears(rounded):
        linear.weight.copy_(quantize_dequantize(linear.weight))
    seconds = time.monotonic() - started
    protocol.report(tool="round-to-nearest, torch", seconds=round(seconds, 2),
                    **protocol.evaluate(rounded, original, ids, options.windows))


if __name__ == "__main__":
    main()
