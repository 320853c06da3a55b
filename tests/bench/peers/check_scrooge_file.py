# SPDX-License-Identifier: Apache-2.0
"""Rebuilds a model in torch from a .scrooge file and evaluates it by the protocol of README.md: perplexity and KL as an
implementation that shares no code with Scrooge sees them. Prints one line of JSON."""
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


def main():
    parser = protocol.arguments(__doc__)
    parser.add_argument("file", help="the .scrooge file to check")
    options = parser.parse_args()
    folder = protocol.checkpoint(options)
    model = protocol.load(folder)
    quantized = rebuild(model, options.file)
    ids = protocol.read_ids(options, "test.txt")
    protocol.report(tool="Scrooge, rebuilt in torch", quantized_linears=quantized,
                    **protocol.evaluate(model, protocol.load(folder), ids, options.windows))


if __name__ == "__main__":
    main()
