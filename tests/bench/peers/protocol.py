# SPDX-License-Identifier: Apache-2.0
"""What every peer shares: the model as a float16 checkpoint, the token ids, the evaluation. See README.md."""
import argparse
import json
import math
import os
import pathlib
import resource

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

BITS, GROUP, ROWS, LENGTH, CONTEXT = 4, 64, 32, 512, 2048
MAX_CODE = 2**BITS - 1
torch.set_grad_enabled(False)


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--gguf", required=True, type=pathlib.Path, help="the original model")
    parser.add_argument("--text", required=True, type=pathlib.Path, help="folder with valid.txt and test.txt")
    parser.add_argument("--work", required=True, type=pathlib.Path, help="folder for the float16 checkpoint")
    parser.add_argument("--windows", type=int, default=0, help="windows to evaluate; 0: all")
    return parser


def checkpoint(options):
    """The model with dequantized weights in float16 safetensors; made once."""
    folder = options.work / "float16"
    if not (folder / "config.json").exists():
        source = dict(pretrained_model_name_or_path=str(options.gguf.parent), gguf_file=options.gguf.name)
        tokenizer = AutoTokenizer.from_pretrained(**source)
        AutoModelForCausalLM.from_pretrained(**source).half().save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return folder


def load(folder):
    return AutoModelForCausalLM.from_pretrained(folder, torch_dtype=torch.float32).eval()


def read_ids(folder, text):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return torch.tensor(tokenizer(text.read_text(encoding="utf-8"), add_special_tokens=False).input_ids)


def calibration_rows(folder, options):
    return read_ids(folder, options.text / "valid.txt")[:ROWS * LENGTH].view(ROWS, LENGTH)


def linears(model):
    """The linears of the blocks: what is quantized. The embedding and the head stay as they are."""
    for name, module in model.model.layers.named_modules():
        if isinstance(module, torch.nn.Linear):
            yield name, module


def evaluate(model, reference, ids, windows=0):
    """Perplexity, and mean KL(reference || model) in nats, over whole windows; each scores CONTEXT - 1 tokens."""
    count = len(ids) // CONTEXT
    if windows:
        count = min(count, windows)
    nll = kl = 0.0
    agree = 0
    for i in range(count):
        window = ids[i * CONTEXT:(i + 1) * CONTEXT][None]
        scores = torch.log_softmax(model(window).logits[0, :-1].float(), -1)
        nll -= scores.gather(1, window[0, 1:, None]).double().sum().item()
        if reference is not None:
            target = torch.log_softmax(reference(window).logits[0, :-1].float(), -1)
            kl += (target.exp() * (target - scores)).double().sum().item()
            agree += (target.argmax(-1) == scores.argmax(-1)).sum().item()
    tokens = count * (CONTEXT - 1)
    result = dict(tokens=tokens, windows=count, perplexity=math.exp(nll / tokens))
    if reference is not None:
        result.update(kl=kl / tokens, top1=agree / tokens)
    return result


def peak_rss():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def report(**values):
    print(json.dumps(dict(values, threads=torch.get_num_threads(), processors=os.cpu_count())), flush=True)
