# SPDX-License-Identifier: Apache-2.0
"""The original model and plain round-to-nearest in torch, by the protocol of README.md. Two lines of JSON."""
import time

import torch

import protocol


def quantize_dequantize(weight, options):
    """Zero always lies in the range, the scale is float16: what Scrooge calls rtn."""
    groups, max_code = weight.view(-1, options.group), 2**options.bits - 1
    low, high = groups.amin(1, keepdim=True).clamp(max=0), groups.amax(1, keepdim=True).clamp(min=0)
    scale = ((high - low) / max_code).half().float().clamp(min=6e-8)
    zero = (-torch.round(low / scale)).clamp(0, max_code)
    return ((torch.round(groups / scale) + zero).clamp(0, max_code) - zero).mul(scale).view_as(weight)


def main():
    options = protocol.arguments(__doc__).parse_args()
    folder = protocol.checkpoint(options)
    ids = protocol.read_ids(options, "test.txt")
    original, rounded = protocol.load(folder), protocol.load(folder)
    protocol.report(tool="original", **protocol.evaluate(original, None, ids, options.windows))
    started = time.monotonic()
    for _, linear in protocol.linears(rounded):
        linear.weight.copy_(quantize_dequantize(linear.weight, options))
    seconds = time.monotonic() - started
    protocol.report(tool="round-to-nearest, torch", seconds=round(seconds, 2),
                    **protocol.evaluate(rounded, original, ids, options.windows))


if __name__ == "__main__":
    main()
