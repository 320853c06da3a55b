# SPDX-License-Identifier: Apache-2.0
"""Rebuilds models in torch from .scrooge files, evaluates them by the protocol of README.md, and has `scrooge eval` do
the same: perplexity and KL as an implementation that shares no code with Scrooge sees them. Prints one line of JSON a
file; the exit status is 1 where the two differ by more than --tolerance."""
import json
import pathlib
import subprocess
import sys
import tempfile

import torch

import protocol
import scrooge_file


def rebuild(model, path):
    """Replaces every weight of `model`, none may stay: folded scales change the norms too."""
    state = model.state_dict()
    lent = dict(model.named_buffers())  # rotary frequencies: in the file, but not in the state
    missing = {name for name in state if not (name == "lm_head.weight" and model.config.tie_word_embeddings)}
    quantized = 0
    for name, is_quantized, weight in scrooge_file.tensors(path):
        key = name if name in state or name in lent else name + ".weight"
        target = state[key] if key in state else lent[key]
        target.copy_(torch.from_numpy(weight.copy()).view_as(target))
        missing.discard(key)
        quantized += is_quantized
    if missing:
        raise ValueError(f"{path} lacks {sorted(missing)}")
    return quantized


def remembering(model):
    """The model, computing each window once: every file is compared with the same."""
    known = {}

    def outputs(window):
        key = window.numpy().tobytes()
        if key not in known:
            known[key] = model(window)
        return known[key]

    return outputs


def by_scrooge(path, reference, ids, options):
    with tempfile.NamedTemporaryFile("w", suffix=".ids", encoding="utf-8") as file:
        file.write(" ".join(map(str, ids.tolist())))
        file.flush()
        command = [options.scrooge, "eval", path, "--reference", reference, "--token-ids", file.name, "--context",
                   protocol.CONTEXT, "--threads", torch.get_num_threads(), "--json", "-q"]
        output = subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE).stdout
    return json.loads(output)


def check(path, folder, original, ids, options):
    """Prints the line of one file; tells whether both agree."""
    model = protocol.load(folder)
    quantized = rebuild(model, path)
    seen = protocol.evaluate(model, original, ids)
    said = by_scrooge(path, folder, ids, options)
    figures = {name: dict(torch=seen[name], scrooge=said[name], ratio=said[name] / seen[name])
               for name in ("perplexity", "kl", "top1")}
    # Top-1 agreement is only shown: likeliest successors that are nearly equal may fall either way.
    agree = all(abs(figures[name]["ratio"] - 1) <= options.tolerance for name in ("perplexity", "kl"))  # not if NaN
    protocol.report(file=path.name, quantized_linears=quantized, windows=seen["windows"], tokens=seen["tokens"],
                    **figures, agree=agree)
    return agree


def main():
    parser = protocol.arguments(__doc__)
    parser.add_argument("files", nargs="+", type=pathlib.Path, help="the .scrooge files to check")
    parser.add_argument("--threads", type=int, default=0, help="of torch and of scrooge; 0: as OMP_NUM_THREADS says")
    parser.add_argument("--tolerance", type=float, default=0.005, help="share by which the figures may differ")
    parser.set_defaults(windows=2)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    folder = protocol.checkpoint(options)
    original = remembering(protocol.load(folder))
    ids = protocol.read_ids(options, "test.txt")
    if options.windows:
        ids = ids[:options.windows * protocol.CONTEXT]
    agree = [check(path, folder, original, ids, options) for path in options.files]
    sys.exit(0 if all(agree) else 1)


if __name__ == "__main__":
    main()
