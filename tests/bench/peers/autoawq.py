# SPDX-License-Identifier: Apache-2.0
"""AutoAWQ 0.2.9 on the CPU in float32, by the protocol of README.md. Prints one line of JSON."""
import contextlib
import sys
import time

import torch
from awq import AutoAWQForCausalLM
from awq.quantize.quantizer import AwqQuantizer
from transformers import AutoTokenizer

import protocol


def copy_saved_weights():
    """Works around a fault of AutoAWQ on the CPU. Its scale search saves the weights with state_dict() and .cpu(),
    scales and quantizes them in place for each candidate, and restores what it saved. On a CPU .cpu() copies nothing:
    what it saved are the live weights, so every candidate starts from the damage of the last and the model it returns
    is broken (perplexity above 10,000). For the length of the search state_dict() therefore gives copies."""
    search = AwqQuantizer._compute_best_scale

    def search_on_copies(self, x, w_mean, x_mean, module2inspect, *rest, **named):
        live = module2inspect.state_dict
        module2inspect.state_dict = lambda: {key: value.clone() for key, value in live().items()}
        try:
            return search(self, x, w_mean, x_mean, module2inspect, *rest, **named)
        finally:
            del module2inspect.state_dict

    AwqQuantizer._compute_best_scale = search_on_copies


def quantize_dequantize(weight):
    """AutoAWQ's rounding, with the scales in float16 as its packed formats store them."""
    groups = weight.view(-1, protocol.GROUP)
    low, high = groups.amin(1, keepdim=True), groups.amax(1, keepdim=True)
    scale = (high - low).clamp(min=1e-5) / protocol.MAX_CODE
    zero = (-torch.round(low / scale)).clamp(0, protocol.MAX_CODE)
    scale = scale.half().float()
    return ((torch.round(groups / scale) + zero).clamp(0, protocol.MAX_CODE) - zero).mul(scale).view_as(weight)


def main():
    options = protocol.arguments(__doc__).parse_args()
    folder = protocol.checkpoint(options)
    rows = protocol.calibration_rows(folder, options)
    copy_saved_weights()
    awq = AutoAWQForCausalLM.from_pretrained(str(folder), torch_dtype=torch.float32, device_map="cpu")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    started, started_cpu = time.monotonic(), time.process_time()
    with contextlib.redirect_stdout(sys.stderr):
        # export_compatible: scales and clips, but leaves packing out, whose half-precision kernels a CPU lacks.
        awq.quantize(tokenizer, calib_data=rows.tolist(), max_calib_samples=protocol.ROWS,
                     max_calib_seq_len=protocol.LENGTH, export_compatible=True, quant_config=dict(
                         zero_point=True, q_group_size=protocol.GROUP, w_bit=protocol.BITS, version="GEMM"))
        for _, linear in protocol.linears(awq.model):
            linear.weight.copy_(quantize_dequantize(linear.weight))
    seconds, cpu_seconds = time.monotonic() - started, time.process_time() - started_cpu
    peak = protocol.peak_rss()
    print(f"quantized in {seconds:.0f} s, peak {peak / 2**20:.0f} MiB; evaluating", file=sys.stderr, flush=True)
    ids = protocol.read_ids(folder, options.text / "test.txt")
    protocol.report(tool="AutoAWQ 0.2.9, saved weights copied", seconds=round(seconds, 1),
                    cpu_seconds=round(cpu_seconds, 1), peak_rss_bytes=peak,
                    **protocol.evaluate(awq.model.eval(), protocol.load(folder), ids, options.windows))


if __name__ == "__main__":
    main()
