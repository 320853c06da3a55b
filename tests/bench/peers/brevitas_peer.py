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
from brevitas_examples.llm.llm_quant import gpxq

import protocol


def with_quantized_linears(model, options):
    """The model with Brevitas' linears in its blocks: integer zero points, ranges from the extremes of each group."""
    quantizers = generate_quantizers(
        weight_bit_width=options.bits, weight_param_method="stats", weight_scale_precision="float_scale",
        weight_quant_type="asym", weight_quant_granularity="per_group", weight_group_size=options.group,
        quantize_weight_zero_point=True)
    layers = generate_quant_maps(*quantizers, dtype=torch.float32, device="cpu", quantize_embedding=False)
    return layerwise_quantize(model=model, compute_layer_map=layers, name_blacklist=["lm_head"])


def main():
    parser = protocol.arguments(__doc__)
    parser.add_argument("--method", required=True, choices=("gptq", "qronos"))
    parser.add_argument("--whole-model", action="store_true", help="hours: a pass over all rows for every linear")
    options = parser.parse_args()
    folder = protocol.checkpoint(options)
    batches = [dict(input_ids=row[None]) for row in protocol.calibration_rows(options)]
    model = protocol.load(folder)
    model.config.use_cache = False
    started, started_cpu = time.monotonic(), time.process_time()
    with contextlib.redirect_stdout(sys.stderr):
        model = with_quantized_linears(model, options)
        model(**batches[0])  # sets the scales
        blocks = None if options.whole_model else "model.layers"
        gpxq.send_to_device = lambda data, _: data  # the block-wise mode sends everything to "cuda" by name
        if options.method == "gptq":
            gpxq.apply_gptq(model, batches, create_weight_orig=False, block_name=blocks)
        else:
            gpxq.apply_qronos(model, batches, block_name=blocks)
    facts = dict(tool=f"Brevitas {importlib.metadata.version('brevitas')}, {options.method}, "
                      f"{'whole model' if options.whole_model else 'block-wise'}",
                 seconds=round(time.monotonic() - started, 1), cpu_seconds=round(time.process_time() - started_cpu, 1),
                 quantizing_threads=torch.get_num_threads(), peak_rss_bytes=protocol.peak_rss())
    print(json.dumps(facts), file=sys.stderr, flush=True)
    plain = protocol.load(folder)
    for (_, target), (_, source) in zip(protocol.linears(plain), protocol.linears(model)):
        target.weight.copy_(source.quant_weight().value)  # scales stay float32 here, which flatters by very little
    name = f"brevitas-{options.method}" + ("-whole-model" if options.whole_model else "")
    protocol.report_saved(protocol.save(plain, options, name, **facts), options)


if __name__ == "__main__":
    main()
