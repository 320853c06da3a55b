# SPDX-License-Identifier: Apache-2.0
"""Brevitas on the CPU in float32, GPTQ or Qronos, by the protocol of README.md. Prints one line of JSON."""
import contextlib
import importlib.metadata
import json
import sys
import time

import torch
from brevitas.graph.quantize import layerwise_quantize
from brevitas_examples.common.generative.quantize import generate_quant_maps, generate_quantizers
from brevitas_examples.llm.llm_quant.gpxq import apply_gptq, apply_qronos

import protocol


def with_quantized_linears(model):
    """The model with Brevitas' linears in its blocks: integer zero points, ranges from the extremes of each group."""
    quantizers = generate_quantizers(
        weight_bit_width=protocol.BITS, weight_param_method="stats", weight_scale_precision="float_scale",
        weight_quant_type="asym", weight_quant_granularity="per_group", weight_group_size=protocol.GROUP,
        quantize_weight_zero_point=True)
    layers = generate_quant_maps(*quantizers, dtype=torch.float32, device="cpu", quantize_embedding=False)
    return layerwise_quantize(model=model, compute_layer_map=layers, name_blacklist=["lm_head"])


def main():
    parser = protocol.arguments(__doc__)
    parser.add_argument("--method", required=True, choices=("gptq", "qronos"))
    options = parser.parse_args()
    folder = protocol.checkpoint(options)
    batches = [dict(input_ids=row[None]) for row in protocol.calibration_rows(options)]
    model = protocol.load(folder)
    model.config.use_cache = False
    started, started_cpu = time.monotonic(), time.process_time()
    with contextlib.redirect_stdout(sys.stderr):
        model = with_quantized_linears(model)
        model(**batches[0])  # sets the scales
        # Whole-model passes: the tool's block-wise mode, which is faster, moves everything to "cuda" by name.
        if options.method == "gptq":
            apply_gptq(model, batches, create_weight_orig=False)
        else:
            apply_qronos(model, batches)
    facts = dict(tool=f"Brevitas {importlib.metadata.version('brevitas')}, {options.method}",
                 seconds=round(time.monotonic() - started, 1), cpu_seconds=round(time.process_time() - started_cpu, 1),
                 quantizing_threads=torch.get_num_threads(), peak_rss_bytes=protocol.peak_rss())
    print(json.dumps(facts), file=sys.stderr, flush=True)
    plain = protocol.load(folder)
    for (_, target), (_, source) in zip(protocol.linears(plain), protocol.linears(model)):
        target.weight.copy_(source.quant_weight().value)  # scales stay float32 here, which flatters by very little
    protocol.report_saved(protocol.save(plain, options, f"brevitas-{options.method}", **facts), options)


if __name__ == "__main__":
    main()
