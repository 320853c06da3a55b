# SPDX-License-Identifier: Apache-2.0
"""auto-round's sign-SGD on the CPU in float32, by the protocol of README.md. Prints one line of JSON."""
import contextlib
import importlib.metadata
import json
import sys
import time

import torch
from auto_round import AutoRound
from transformers import AutoTokenizer

import protocol


def main():
    parser = protocol.arguments(__doc__)
    parser.add_argument("--iterations", type=int, default=200, help="steps a block; the tool's default is 200")
    options = parser.parse_args()
    folder = protocol.checkpoint(options)
    rows = protocol.calibration_rows(options)
    model = protocol.load(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)  # demanded, not used: the rows are ids already
    started, started_cpu = time.monotonic(), time.process_time()
    with contextlib.redirect_stdout(sys.stderr), torch.enable_grad():
        tuner = AutoRound(model, tokenizer, bits=options.bits, group_size=options.group, sym=False, amp=False,
                          device="cpu", dataset=list(rows.split(1)), seqlen=protocol.LENGTH, nsamples=len(rows),
                          batch_size=min(8, len(rows)), iters=options.iterations)
        model, _ = tuner.quantize()  # leaves rounded weights, with scales in float16
    facts = dict(tool=f"auto-round {importlib.metadata.version('auto-round')}, {options.iterations} iterations",
                 seconds=round(time.monotonic() - started, 1), cpu_seconds=round(time.process_time() - started_cpu, 1),
                 quantizing_threads=torch.get_num_threads(), peak_rss_bytes=protocol.peak_rss())
    print(json.dumps(facts), file=sys.stderr, flush=True)
    plain = protocol.plain_copy(folder, model.state_dict())
    protocol.report_saved(protocol.save(plain, options, f"auto-round-{options.iterations}", **facts), options)


if __name__ == "__main__":
    main()
