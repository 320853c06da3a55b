# SPDX-License-Identifier: Apache-2.0
"""What every peer shares: the model as a float16 checkpoint, the token ids, the evaluation. See README.md."""
import argparse
import json
import math
import os
import pathlib
import resource
import subprocess

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

ROWS, LENGTH, CONTEXT = 32, 512, 2048
FIRST_WINDOWS = 8  # reported apart from the whole, beside it
FACTS = "peer.json"  # in a saved model's folder: tool, seconds, memory
torch.set_grad_enabled(False)


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--gguf", required=True, type=pathlib.Path, help="the original model")
    parser.add_argument("--text", required=True, type=pathlib.Path, help="folder with valid.txt and test.txt")
    parser.add_argument("--work", required=True, type=pathlib.Path, help="folder for the checkpoints")
    parser.add_argument("--scrooge", default=pathlib.Path("build/release/bin/scrooge"), type=pathlib.Path,
                        help="the program that tokenizes for all tools")
    parser.add_argument("--bits", type=int, default=4)
    parser.add_argument("--group", type=int, default=64, help="weights a scale")
    parser.add_argument("--windows", type=int, default=0, help="windows to evaluate; 0: all")
    parser.add_argument("--no-evaluation", action="store_true", help="only leave the model in the work folder")
    parser.add_argument("--rows", type=int, default=ROWS, help="calibration rows; fewer only to try a script out")
    return parser


def checkpoint(options):
    """The model with dequantized weights in float16 safetensors; made once. Its tokenizer is for tools that insist on
    one: what transformers makes of the GGUF splits digits otherwise than the model was trained, so no id comes from it.
    """
    folder = options.work / "float16"
    if not (folder / "config.json").exists():
        source = dict(pretrained_model_name_or_path=str(options.gguf.parent), gguf_file=options.gguf.name)
        tokenizer = AutoTokenizer.from_pretrained(**source)
        AutoModelForCausalLM.from_pretrained(**source).half().save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return folder


def load(folder):
    return AutoModelForCausalLM.from_pretrained(folder, torch_dtype=torch.float32).eval()


def read_ids(options, name):
    """The ids of a whole text, by the same program for every tool."""
    command = [options.scrooge, "tokenize", options.gguf, "--file", options.text / name]
    words = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    return torch.tensor([int(word) for word in words])


def calibration_rows(options):
    return read_ids(options, "valid.txt")[:options.rows * LENGTH].view(options.rows, LENGTH)


def linears(model):
    """The linears of the blocks: what is quantized. The embedding and the head stay as they are."""
    for name, module in model.model.layers.named_modules():
        if isinstance(module, torch.nn.Linear):
            yield name, module


def _summary(windows, has_reference):
    tokens = len(windows) * (CONTEXT - 1)
    nll, kl, agree = (sum(column) for column in zip(*windows))
    result = dict(windows=len(windows), tokens=tokens, perplexity=math.exp(nll / tokens))
    if has_reference:
        result.update(kl=kl / tokens, top1=agree / tokens)
    return result


def evaluate(model, reference, ids, windows=0):
    """Perplexity, mean KL(reference || model) in nats and top-1 agreement over whole windows; each scores CONTEXT - 1
    tokens. The first FIRST_WINDOWS alone stand under "first"."""
    count = len(ids) // CONTEXT
    if windows:
        count = min(count, windows)
    results = []
    for window in ids[:count * CONTEXT].view(count, 1, CONTEXT):
        scores = torch.log_softmax(model(window).logits[0, :-1].float(), -1)
        nll = -scores.gather(1, window[0, 1:, None]).double().sum().item()
        kl = agree = 0
        if reference is not None:
            target = torch.log_softmax(reference(window).logits[0, :-1].float(), -1)
            agree = (target.argmax(-1) == scores.argmax(-1)).sum().item()
            kl = (target.exp() * (target - scores)).double().sum().item()
        results.append((nll, kl, agree))
    result = _summary(results, reference is not None)
    if count > FIRST_WINDOWS:
        result["first"] = _summary(results[:FIRST_WINDOWS], reference is not None)
    return result


def plain_copy(folder, state):
    """The checkpoint's model with the tensors of `state`, without what a tool leaves in or on its own model."""
    model = load(folder)
    own = model.state_dict()
    for name in own:
        own[name].copy_(state[name])
    return model


def save(model, options, name, **facts):
    """Keeps what a peer made, dequantized, with the facts of the run, so that evaluate_saved.py can read it again."""
    folder = options.work / f"{name}-{options.bits}g{options.group}"
    model.save_pretrained(folder)
    facts.update(bits=options.bits, group=options.group, rows=options.rows)
    (folder / FACTS).write_text(json.dumps(facts), encoding="utf-8")
    return folder


def report_saved(folder, options):
    """Evaluates what save() kept and prints the line."""
    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    if options.no_evaluation:
        return report(**facts)
    ids = read_ids(options, "test.txt")
    report(**facts, **evaluate(load(folder), load(checkpoint(options)), ids, options.windows))


def peak_rss():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def report(**values):
    print(json.dumps(dict(values, threads=torch.get_num_threads(), processors=os.cpu_count())), flush=True)
