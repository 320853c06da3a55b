# SPDX-License-Identifier: Apache-2.0
"""llm-compressor on the CPU in float32, AWQ or GPTQ, by the protocol of README.md. Prints one line of JSON."""
import contextlib
import importlib.metadata
import json
import sys
import time

import torch
from compressed_tensors.quantization.lifecycle.forward import fake_quantize
from datasets import Dataset
from llmcompressor import oneshot
from llmcompressor.modifiers.awq import AWQModifier
from llmcompressor.modifiers.quantization import GPTQModifier
from transformers import AutoTokenizer

import protocol
from saved_state import copy_in_search


def recipe(options):
    weights = dict(num_bits=options.bits, type="int", symmetric=False, strategy="group",
                   group_size=options.group)
    common = dict(ignore=["lm_head"], config_groups=dict(group_0=dict(targets=["Linear"], weights=weights)))
    if options.method == "awq":
        return AWQModifier(**common)
    weights.update(dict(actorder="static") if options.actorder else {})
    return GPTQModifier(**common)


def dequantized(module):
    """What the packed file would hold, scales in float16. GPTQ leaves rounded weights, AWQ leaves them to round."""
    scale = module.weight_scale.half().float()
    return fake_quantize(module.weight, scale, module.weight_zero_point, module.quantization_scheme.weights,
                         getattr(module, "weight_g_idx", None))


def main():
    parser = protocol.arguments(__doc__)
    parser.add_argument("--method", required=True, choices=("awq", "gptq"))
    parser.add_argument("--actorder", action="store_true", help="GPTQ: columns by falling activation, not the default")
    options = parser.parse_args()
    folder = protocol.checkpoint(options)
    rows = protocol.calibration_rows(options).tolist()
    data = Dataset.from_dict(dict(input_ids=rows, attention_mask=[[1] * len(row) for row in rows]))
    model = protocol.load(folder)
    copy_in_search(AWQModifier, "_compute_best_scale", 2)
    tokenizer = AutoTokenizer.from_pretrained(folder)  # demanded, not used: the rows are ids already
    started, started_cpu = time.monotonic(), time.process_time()
    with contextlib.redirect_stdout(sys.stderr):
        oneshot(model=model, tokenizer=tokenizer, dataset=data, recipe=recipe(options),
                max_seq_length=protocol.LENGTH, num_calibration_samples=len(rows), shuffle_calibration_samples=False,
                oneshot_device="cpu", log_dir=None)
    seconds, cpu_seconds, peak = (time.monotonic() - started, time.process_time() - started_cpu, protocol.peak_rss())
    plain = protocol.plain_copy(folder, model.state_dict())
    for (_, target), (_, source) in zip(protocol.linears(plain), protocol.linears(model)):
        target.weight.copy_(dequantized(source))
    name = options.method + (" with act-order" if options.actorder else "")
    copied = ", saved weights copied" if options.method == "awq" else ""
    facts = dict(tool=f"llm-compressor {importlib.metadata.version('llmcompressor')}, {name}{copied}",
                 seconds=round(seconds, 1), cpu_seconds=round(cpu_seconds, 1),
                 quantizing_threads=torch.get_num_threads(), peak_rss_bytes=peak)
    print(json.dumps(facts), file=sys.stderr, flush=True)
    protocol.report_saved(protocol.save(plain, options, f"llm-compressor-{name.replace(' ', '-')}", **facts), options)


if __name__ == "__main__":
    main()
