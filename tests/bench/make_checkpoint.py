# SPDX-License-Identifier: Apache-2.0
"""A checkpoint of a large model's shape without the model: config.json, ids.txt and one model.safetensors.

    python3 tests/bench/make_checkpoint.py tiny|135m|8b|70b FOLDER [--blocks 2] [--vocabulary 8192]
    python3 tests/bench/make_checkpoint.py 70b FOLDER --sparse

Weights are normal numbers in bf16, enough for calibration to run on; with --sparse the file has its size and no data,
enough for `scrooge plan`. Plain Python."""
import argparse
import json
import os
import random
import struct

SHAPES = {  # none's, SmolLM2's, Llama 3's
    "tiny": dict(hidden_size=64, intermediate_size=96, num_attention_heads=4, num_key_value_heads=2, blocks=2),
    "135m": dict(hidden_size=576, intermediate_size=1536, num_attention_heads=9, num_key_value_heads=3, blocks=30),
    "8b": dict(hidden_size=4096, intermediate_size=14336, num_attention_heads=32, num_key_value_heads=8, blocks=32),
    "70b": dict(hidden_size=8192, intermediate_size=28672, num_attention_heads=64, num_key_value_heads=8, blocks=80),
}
PERIOD = 1000003  # values before they repeat; prime, so that no two rows are alike


def tensors(shape, blocks, vocabulary):
    width, ff = shape["hidden_size"], shape["intermediate_size"]
    kv = width // shape["num_attention_heads"] * shape["num_key_value_heads"]
    yield "model.embed_tokens.weight", (vocabulary, width)
    for block in range(blocks):
        prefix = f"model.layers.{block}."
        yield prefix + "input_layernorm.weight", (width,)
        yield prefix + "self_attn.q_proj.weight", (width, width)
        yield prefix + "self_attn.k_proj.weight", (kv, width)
        yield prefix + "self_attn.v_proj.weight", (kv, width)
        yield prefix + "self_attn.o_proj.weight", (width, width)
        yield prefix + "post_attention_layernorm.weight", (width,)
        yield prefix + "mlp.gate_proj.weight", (ff, width)
        yield prefix + "mlp.up_proj.weight", (ff, width)
        yield prefix + "mlp.down_proj.weight", (width, ff)
    yield "model.norm.weight", (width,)
    yield "lm_head.weight", (vocabulary, width)


def bf16(values):
    return b"".join(struct.pack("<f", value)[2:] for value in values)


def write_data(file, name, shape, pattern, start):
    count = 1
    for size in shape:
        count *= size
    if len(shape) == 1:
        file.write(bf16([1.0]) * count)
        return start
    left = 2 * count
    at = 2 * (start % PERIOD)
    while left > 0:
        part = pattern[at:at + left]
        file.write(part)
        left -= len(part)
        at = 0
    return start + count + 7919


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("folder")
    parser.add_argument("--blocks", type=int)
    parser.add_argument("--vocabulary", type=int, default=128256)
    parser.add_argument("--sparse", action="store_true")
    parser.add_argument("--tokens", type=int, default=16384, help="random ids for --calibration-ids")
    options = parser.parse_args()
    shape = SHAPES[options.shape]
    blocks = options.blocks or shape["blocks"]
    os.makedirs(options.folder, exist_ok=True)
    config = {key: value for key, value in shape.items() if key != "blocks"}
    config.update(architectures=["LlamaForCausalLM"], model_type="llama", num_hidden_layers=blocks,
                  vocab_size=options.vocabulary, rms_norm_eps=1e-5, rope_theta=500000.0, max_position_embeddings=8192,
                  hidden_act="silu", tie_word_embeddings=False, torch_dtype="bfloat16")
    with open(os.path.join(options.folder, "config.json"), "w") as file:
        json.dump(config, file, indent=1)
    random.seed(1)
    with open(os.path.join(options.folder, "ids.txt"), "w") as file:
        file.write(" ".join(str(random.randrange(options.vocabulary)) for _ in range(options.tokens)))
    header, offset = {}, 0
    plan = list(tensors(shape, blocks, options.vocabulary))
    for name, size in plan:
        bytes_ = 2
        for dimension in size:
            bytes_ *= dimension
        header[name] = {"dtype": "BF16", "shape": size, "data_offsets": [offset, offset + bytes_]}
        offset += bytes_
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(options.folder, "model.safetensors"), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        if options.sparse:
            file.truncate(8 + len(text) + offset)
            return
        pattern = bf16(random.gauss(0, 0.02) for _ in range(PERIOD))
        start = 0
        for name, size in plan:
            start = write_data(file, name, size, pattern, start)


if __name__ == "__main__":
    main()
