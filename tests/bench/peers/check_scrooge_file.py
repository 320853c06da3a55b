# SPDX-License-Identifier: Apache-2.0
"""Rebuilds a model in torch from a .scrooge file and evaluates it by the protocol of README.md: perplexity and KL as an
implementation that shares no code with Scrooge sees them. Prints one line of JSON."""
import torch

import protocol
import scrooge_file


def rebuild(model, path):
    """Replaces every weight of `model`, none may stay: folded scales change the norms too."""
    state = model.state_dict()
    missing = {name for name in state if not (name == "lm_head.weight" and model.config.tie_word_embeddings)}
    quantized = 0
    for name, is_quantized, weight in scrooge_file.tensors(path):
        key = name if name in state else name + ".weight"
        state[key].copy_(torch.from_numpy(weight.copy()).view_as(state[key]))
        missing.discard(key)
        quantized += is_quantized
    if missing:
        raise ValueError(f"{path} lacks {sorted(missing)}")
    return quantized


def main():
    parser = protocol.arguments(__doc__)
    parser.add_argument("--scrooge", required=True, help="the file to check")
    options = parser.parse_args()
    folder = protocol.checkpoint(options)
    model = protocol.load(folder)
    quantized = rebuild(model, options.scrooge)
    ids = protocol.read_ids(folder, options.text / "test.txt")
    protocol.report(tool="Scrooge, rebuilt in torch", quantized_linears=quantized,
                    **protocol.evaluate(model, protocol.load(folder), ids, options.windows))


if __name__ == "__main__":
    main()
