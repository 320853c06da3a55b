# SPDX-License-Identifier: Apache-2.0
"""GPTQModel on the CPU in float32, GPTQ or GPTAQ, by the protocol of README.md. Prints one line of JSON."""
import contextlib
import importlib.metadata
import json
import sys
import time

import torch
from gptqmodel import BACKEND, GPTQModel, QuantizeConfig
from gptqmodel.looper.gptq_processor import GPTQProcessor

import protocol


def keep_instead_of_packing(kept):
    """Packing makes half-precision kernels of the linears; the rounded weights are wanted as they are, before it."""

    def finalize(self, model, **_):
        kept.update(state=model.model.state_dict(), results=self.results())
        model.quantized = True

    GPTQProcessor.finalize = finalize


def in_half_scales(weight, result):
    """The weight that the packed file would hold: its scales are float16."""
    scale = result["scale"].float()[:, result["g_idx"].long()]
    return torch.round(weight / scale) * scale.half().float()


def main():
    parser = protocol.arguments(__doc__)
    parser.add_argument("--gptaq", action="store_true", help="aimed at the original output; from version 4.0.0 on")
    options = parser.parse_args()
    folder = protocol.checkpoint(options)
    rows = protocol.calibration_rows(options).tolist()
    kept = {}
    keep_instead_of_packing(kept)
    # Version 4.0.0 calls GPTAQ its second GPTQ.
    config = QuantizeConfig(bits=options.bits, group_size=options.group, sym=False, device="cpu",
                            **(dict(v2=True) if options.gptaq else {}))
    model = GPTQModel.load(str(folder), config, torch_dtype=torch.float32)
    started, started_cpu = time.monotonic(), time.process_time()
    with contextlib.redirect_stdout(sys.stderr):
        model.quantize([dict(input_ids=row, attention_mask=[1] * len(row)) for row in rows], backend=BACKEND.TORCH)
    facts = dict(tool=f"GPTQModel {importlib.metadata.version('gptqmodel')}" + (", GPTAQ" if options.gptaq else ""),
                 seconds=round(time.monotonic() - started, 1), cpu_seconds=round(time.process_time() - started_cpu, 1),
                 quantizing_threads=torch.get_num_threads(), peak_rss_bytes=protocol.peak_rss())
    print(json.dumps(facts), file=sys.stderr, flush=True)
    plain = protocol.plain_copy(folder, kept["state"])
    for name, linear in protocol.linears(plain):
        linear.weight.copy_(in_half_scales(linear.weight, kept["results"]["model.layers." + name]))
    protocol.report_saved(protocol.save(
        plain, options, "gptqmodel-gptaq" if options.gptaq else "gptqmodel", **facts), options)


if __name__ == "__main__":
    main()
