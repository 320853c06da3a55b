# SPDX-License-Identifier: Apache-2.0
"""AutoAWQ 0.2.9 on the CPU in float32, by the protocol of README.md. Prints one line of JSON."""
import contextlib
import json
import sys
import time

import torch
from awq import AutoAWQForCausalLM
from awq.quantize.quantizer import AwqQuantizer
from transformers import AutoTokenizer

import protocol
from saved_state import copy_in_search


def quantize_dequantize(weight, options):
    """AutoAWQ's rounding, with the scales in float16 as its packed formats store them."""
    groups, max_code = weight.view(-1, options.group), 2**options.bits - 1
    low, high = groups.amin(1, keepdim=True), groups.amax(1, keepdim=True)
    scale = (high - low).clamp(min=1e-5) / max_code
    zero = (-torch.round(low / scale)).clamp(0, max_code)
    scale = scale.half().float()
    return ((torch.round(groups / scale) + zero).clamp(0, max_code) - zero).mul(scale).view_as(weight)


def main():
    options = protocol.arguments(__doc__).parse_args()
    folder = protocol.checkpoint(options)
    rows = protocol.calibration_rows(options)
    copy_in_search(AwqQuantizer, "_compute_best_scale", 3)
    awq = AutoAWQForCausalLM.from_pretrained(str(folder), torch_dtype=torch.float32, device_map="cpu")
    tokenizer = AutoTokenizer.from_pretrained(folder)  # demanded, not used: the rows are ids already
    started, started_cpu = time.monotonic(), time.process_time()
    with contextlib.redirect_stdout(sys.stderr):
        # export_compatible: scales and clips, but leaves packing out, whose half-precision kernels a CPU lacks.
        awq.quantize(tokenizer, calib_data=rows.tolist(), max_calib_samples=len(rows),
                     max_calib_seq_len=protocol.LENGTH, export_compatible=True, quant_config=dict(
                         zero_point=True, q_group_size=options.group, w_bit=options.bits, version="GEMM"))
        for _, linear in protocol.linears(awq.model):
            linear.weight.copy_(quantize_dequantize(linear.weight, options))
    facts = dict(tool="AutoAWQ 0.2.9, saved weights copied", seconds=round(time.monotonic() - started, 1),
                 cpu_seconds=round(time.process_time() - started_cpu, 1), quantizing_threads=torch.get_num_threads(),
                 peak_rss_bytes=protocol.peak_rss())
    print(json.dumps(facts), file=sys.stderr, flush=True)
    protocol.report_saved(protocol.save(awq.model, options, "autoawq", **facts), options)


if __name__ == "__main__":
    main()
