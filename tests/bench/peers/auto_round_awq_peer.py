# SPDX-License-Identifier: Apache-2.0
"""auto-round's AWQ pre-pass on the CPU in float32, before rounding to nearest or its sign-SGD, by the protocol of
README.md. Prints one line of JSON. auto_round_peer.py is for the older version without the pre-pass, whose interface is
another."""
import contextlib
import importlib.metadata
import json
import sys
import time

import torch
from auto_round import AutoRound
from auto_round.algorithms.quantization.rtn.config import RTNConfig
from auto_round.algorithms.quantization.sign_round.config import SignRoundConfig
from auto_round.algorithms.transforms.awq.config import AWQConfig
from transformers import AutoTokenizer

import protocol


def main():
    parser = protocol.arguments(__doc__)
    parser.add_argument("--iterations", type=int, default=0, help="of sign-SGD, steps a block; 0: rounds to nearest")
    options = parser.parse_args()
    folder = protocol.checkpoint(options)
    rows = protocol.calibration_rows(options)
    model = protocol.load(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)  # demanded, not used: the rows are ids already
    scheme = dict(bits=options.bits, group_size=options.group, sym=False, data_type="int")
    rounding = SignRoundConfig(iters=options.iterations, **scheme) if options.iterations else RTNConfig(
        disable_opt_rtn=True, **scheme)
    started, started_cpu = time.monotonic(), time.process_time()
    with contextlib.redirect_stdout(sys.stderr), torch.enable_grad():
        tuner = AutoRound(model, tokenizer, scheme=scheme, alg_configs=[AWQConfig(**scheme), rounding], amp=False,
                          device_map="cpu", dataset=list(rows.split(1)), seqlen=protocol.LENGTH, nsamples=len(rows),
                          batch_size=min(8, len(rows)), low_cpu_mem_usage=False, enable_torch_compile=False)
        model, _ = tuner.quantize()  # leaves rounded weights, with scales in float16
    steps = f"{options.iterations} iterations" if options.iterations else "rounded to nearest"
    facts = dict(tool=f"auto-round {importlib.metadata.version('auto-round')}, AWQ pre-pass, {steps}",
                 seconds=round(time.monotonic() - started, 1), cpu_seconds=round(time.process_time() - started_cpu, 1),
                 quantizing_threads=torch.get_num_threads(), peak_rss_bytes=protocol.peak_rss())
    print(json.dumps(facts), file=sys.stderr, flush=True)
    plain = protocol.plain_copy(folder, model.state_dict())
    protocol.report_saved(protocol.save(plain, options, f"auto-round-awq-{options.iterations}", **facts), options)


if __name__ == "__main__":
    main()
