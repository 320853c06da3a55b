# SPDX-License-Identifier: Apache-2.0
"""Writes real_model.json: what transformers, in float32, makes of SmolLM2-135M's GGUF file on the start of
tiny_text.txt. The tests read the figures; they never run this script.

    python tests/golden/make_real_model.py --gguf .cache/SmolLM2-135M-Instruct.Q4_1.gguf --scrooge build/release/bin/scrooge

Needs torch, transformers 4.51 and gguf. The ids come from `scrooge tokenize`, whose own goldens are the tokenizer_*
files: transformers' conversion of a GGUF vocabulary does not split digits as the model was trained."""
import argparse
import hashlib
import json
import math
import pathlib
import subprocess

import torch
from transformers import AutoModelForCausalLM

CONTEXT, WINDOWS = 256, 4

here = pathlib.Path(__file__).parent
parser = argparse.ArgumentParser()
parser.add_argument("--gguf", required=True, type=pathlib.Path)
parser.add_argument("--scrooge", required=True, type=pathlib.Path)
options = parser.parse_args()

command = [options.scrooge, "tokenize", options.gguf, "--file", here / "tiny_text.txt"]
words = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
ids = torch.tensor([int(word) for word in words[:CONTEXT * WINDOWS]]).view(WINDOWS, CONTEXT)

torch.set_grad_enabled(False)
model = AutoModelForCausalLM.from_pretrained(
    str(options.gguf.parent), gguf_file=options.gguf.name, torch_dtype=torch.float32).eval()
nll = 0.0
for window in ids:
    scores = torch.log_softmax(model(window[None]).logits[0, :-1].double(), -1)
    nll -= scores.gather(1, window[1:, None]).sum().item()

result = dict(
    model=options.gguf.name,
    sha256=hashlib.sha256(options.gguf.read_bytes()).hexdigest(),
    context=CONTEXT,
    windows=WINDOWS,
    perplexity=math.exp(nll / (WINDOWS * (CONTEXT - 1))))
(here / "real_model.json").write_text(json.dumps(result, indent=1) + "\n")
