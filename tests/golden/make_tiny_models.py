# SPDX-License-Identifier: Apache-2.0
"""Writes the tiny_* fixtures beside this file. Run by hand; what it writes is committed, the tests never run it.

Needs a virtual environment with torch 2.6, transformers 4.51, safetensors, tokenizers and gguf. Two small models are
trained for a few seconds on tiny_text.txt, so that their perplexity means something and quantization can hurt it; the
golden figures are transformers' in float32 on the weights as stored. Another version of torch trains other weights:
commit everything this script writes, or nothing.

    tiny_text.txt            generated English, about 20 KB
    tiny_ids.json            token ids of that text: count, the first ones, and the sequences of the golden logits
    tiny_llama/              llama: grouped queries, llama3 rope scaling, tied head, bfloat16, one file
    tiny_llama.gguf          the same weights as llama.cpp's converter lays them out, float16
    tiny_qwen2/              qwen2: biases on q, k, v, linear rope scaling, untied head, float16, two shards
    tiny_MODEL_logits.f32    logits [tokens of all sequences, vocabulary], float32, little-endian
    tiny_golden.json         per model: shapes, mean NLL of each sequence, perplexity of the whole text
"""
import json
import math
import pathlib
import random

import gguf
import numpy
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

HERE = pathlib.Path(__file__).resolve().parent
VOCABULARY = 384
END_OF_TEXT = "<|endoftext|>"
SEQUENCES = ((0, 24), (1000, 33))  # first token in the text, length
CONTEXT = 128                      # window of the perplexity figure; each window scores CONTEXT - 1 tokens
LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=64)


def make_text(size=20000):
    pick = random.Random(7)
    people = ["Ebenezer", "Fred", "Belle", "Bob", "Martha", "Tim", "the clerk", "the miser", "an old friend", "nobody"]
    verbs = ["counted", "kept", "lost", "weighed", "hid", "found", "lent", "owed", "saved", "carried"]
    numbers = ["two", "three", "12", "480", "a dozen", "forty", "7", "1843", "0.5", "too many"]
    things = ["coins", "candles", "ledgers", "keys", "coals", "letters", "bells", "bits", "weights", "shillings"]
    places = ["in the counting-house", "by the cold grate", "under the stairs", "near the café", "at the door",
              "on the frozen river", "behind a locked chest", "in the snow"]
    times = ["before dawn", "at Christmas", "all winter", "every evening", "once more", "for seven years"]
    ends = [". ", ". ", ". ", "! ", "; still, it wasn't enough. ", ", and that's all. ", " \u2013 or so they'd say. ",
            "?\n", ".\n\n"]
    text = ""
    while len(text) < size:
        subject = pick.choice(people)
        text += subject[0].upper() + subject[1:] + f" {pick.choice(verbs)} {pick.choice(numbers)} {pick.choice(things)}"
        if pick.random() < 0.7:
            text += " " + pick.choice(places)
        if pick.random() < 0.5:
            text += ", " + pick.choice(times)
        text += pick.choice(ends)
    return text


def make_tokenizer(text):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.train_from_iterator([text], trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=[END_OF_TEXT], show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet())))
    assert tokenizer.get_vocab_size() == VOCABULARY
    return tokenizer


def train(model, ids, steps):
    draw = torch.Generator().manual_seed(11)
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    model.train()
    for _ in range(steps):
        starts = torch.randint(0, len(ids) - 64, (12,), generator=draw)
        batch = torch.stack([ids[s:s + 64] for s in starts])
        loss = model(batch, labels=batch).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    model.eval()
    return loss.item()


@torch.no_grad()
def add_outlier_channels(model):
    """Gives a few input channels of each norm a large gain and its readers small columns: the same function, with the
    salient channels of a large model, which is what activation-aware scales are for."""
    draw = torch.Generator().manual_seed(13)
    for layer in model.model.layers:
        attention, mlp = layer.self_attn, layer.mlp
        for norm, readers in ((layer.input_layernorm, (attention.q_proj, attention.k_proj, attention.v_proj)),
                              (layer.post_attention_layernorm, (mlp.gate_proj, mlp.up_proj))):
            gain = torch.exp(0.4 * torch.randn(norm.weight.shape[0], generator=draw))
            gain[torch.randperm(norm.weight.shape[0], generator=draw)[:3]] *= 8.0
            norm.weight.mul_(gain)
            for reader in readers:
                reader.weight.div_(gain)


@torch.no_grad()
def round_weights(model, dtype):
    """Through float16 in both cases, so that the bfloat16 checkpoint and its float16 GGUF hold the same numbers."""
    for weight in model.parameters():
        weight.copy_(weight.to(dtype).half().to(dtype).float())


@torch.no_grad()
def write_golden(name, model, ids):
    rows, mean_nll = [], []
    for start, length in SEQUENCES:
        window = ids[start:start + length]
        logits = model(window[None]).logits[0].float()
        rows.append(logits)
        mean_nll.append(torch.nn.functional.cross_entropy(logits[:-1], window[1:]).item())
    torch.cat(rows).numpy().astype("<f4").tofile(HERE / f"tiny_{name}_logits.f32")
    windows = len(ids) // CONTEXT
    total = 0.0
    for i in range(windows):
        window = ids[i * CONTEXT:(i + 1) * CONTEXT]
        logits = model(window[None]).logits[0].double()
        total += torch.nn.functional.cross_entropy(logits[:-1], window[1:], reduction="sum").item()
    scored = windows * (CONTEXT - 1)
    return dict(logits=f"tiny_{name}_logits.f32", vocabulary=VOCABULARY, lengths=[n for _, n in SEQUENCES],
                mean_nll=mean_nll, context=CONTEXT, windows=windows, scored=scored,
                perplexity=math.exp(total / scored))


def write_folder(name, model, tokenizer, dtype, shards):
    folder = HERE / f"tiny_{name}"
    folder.mkdir(exist_ok=True)
    model.config.torch_dtype = str(dtype).removeprefix("torch.")
    model.config.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    (folder / "tokenizer_config.json").write_text(json.dumps(dict(
        add_bos_token=False, add_prefix_space=False, bos_token=END_OF_TEXT, eos_token=END_OF_TEXT,
        tokenizer_class="GPT2Tokenizer"), indent=2) + "\n")
    tensors = {key: value.to(dtype).contiguous() for key, value in model.state_dict().items()
               if not (key == "lm_head.weight" and model.config.tie_word_embeddings)}
    if shards == 1:
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        return
    names = sorted(tensors)  # cut by count: one layer lies in both files
    index = dict(metadata=dict(total_size=sum(t.nbytes for t in tensors.values())), weight_map={})
    for i in range(shards):
        file = f"model-{i + 1:05d}-of-{shards:05d}.safetensors"
        part = names[len(names) * i // shards:len(names) * (i + 1) // shards]
        save_file({key: tensors[key] for key in part}, folder / file, metadata={"format": "pt"})
        index["weight_map"].update({key: file for key in part})
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=1) + "\n")


def rope_factors(config):
    """What llama.cpp divides each rotary frequency by, for llama3 scaling."""
    scaling, width = config.rope_scaling, config.head_dim
    original = scaling["original_max_position_embeddings"]
    low, high, factor = scaling["low_freq_factor"], scaling["high_freq_factor"], scaling["factor"]
    factors = []
    for i in range(0, width, 2):
        wavelength = 2 * math.pi * config.rope_theta ** (i / width)
        if wavelength < original / high:
            factors.append(1.0)
        elif wavelength > original / low:
            factors.append(factor)
        else:
            smooth = (original / wavelength - low) / (high - low)
            factors.append(1 / ((1 - smooth) / factor + smooth))
    return numpy.array(factors, dtype=numpy.float32)


def write_gguf(model, tokenizer):
    config = model.config
    writer = gguf.GGUFWriter(HERE / "tiny_llama.gguf", "llama")
    writer.add_name("tiny_llama")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_freq_base(config.rope_theta)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(VOCABULARY)
    vocabulary = tokenizer.get_vocab()
    tokens = sorted(vocabulary, key=vocabulary.get)
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if t == END_OF_TEXT else gguf.TokenType.NORMAL for t in tokens])
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in merges])
    writer.add_bos_token_id(vocabulary[END_OF_TEXT])
    writer.add_eos_token_id(vocabulary[END_OF_TEXT])
    writer.add_add_bos_token(False)

    def add(name, weight):
        array = weight.detach().numpy()
        writer.add_tensor(name, array.astype(numpy.float16 if array.ndim > 1 else numpy.float32))

    def pairs_adjacent(weight, heads):  # from half-split rotary pairs to interleaved ones, head by head
        rows, columns = weight.shape
        return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)

    writer.add_tensor("rope_freqs.weight", rope_factors(config))
    add("token_embd.weight", model.model.embed_tokens.weight)
    add("output_norm.weight", model.model.norm.weight)
    for i, layer in enumerate(model.model.layers):
        attention, mlp = layer.self_attn, layer.mlp
        add(f"blk.{i}.attn_norm.weight", layer.input_layernorm.weight)
        add(f"blk.{i}.attn_q.weight", pairs_adjacent(attention.q_proj.weight, config.num_attention_heads))
        add(f"blk.{i}.attn_k.weight", pairs_adjacent(attention.k_proj.weight, config.num_key_value_heads))
        add(f"blk.{i}.attn_v.weight", attention.v_proj.weight)
        add(f"blk.{i}.attn_output.weight", attention.o_proj.weight)
        add(f"blk.{i}.ffn_norm.weight", layer.post_attention_layernorm.weight)
        add(f"blk.{i}.ffn_gate.weight", mlp.gate_proj.weight)
        add(f"blk.{i}.ffn_up.weight", mlp.up_proj.weight)
        add(f"blk.{i}.ffn_down.weight", mlp.down_proj.weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    torch.set_num_threads(1)
    text = make_text()
    (HERE / "tiny_text.txt").write_text(text, encoding="utf-8")
    tokenizer = make_tokenizer(text)
    end = tokenizer.token_to_id(END_OF_TEXT)
    ids = torch.tensor(tokenizer.encode(text, add_special_tokens=False).ids)
    (HERE / "tiny_ids.json").write_text(json.dumps(dict(
        text="tiny_text.txt", text_tokens=len(ids), text_first_ids=ids[:256].tolist(),
        sequences=[ids[s:s + n].tolist() for s, n in SEQUENCES])) + "\n")
    shared = dict(vocab_size=VOCABULARY, hidden_size=64, num_attention_heads=4, num_key_value_heads=2,
                  max_position_embeddings=512, rope_theta=10000.0, bos_token_id=end, eos_token_id=end,
                  initializer_range=0.08, attn_implementation="eager")
    specs = (
        ("llama", torch.bfloat16, 1, LlamaForCausalLM, LlamaConfig(
            **shared, intermediate_size=96, num_hidden_layers=2, head_dim=16, rms_norm_eps=1e-5,
            tie_word_embeddings=True, rope_scaling=dict(LLAMA3))),
        ("qwen2", torch.float16, 2, Qwen2ForCausalLM, Qwen2Config(
            **shared, intermediate_size=80, num_hidden_layers=3, rms_norm_eps=1e-6, tie_word_embeddings=False,
            rope_scaling=dict(rope_type="linear", factor=2.0))))
    golden = {}
    for name, dtype, shards, model_class, config in specs:
        torch.manual_seed(5)
        model = model_class(config)
        with torch.no_grad():
            for key, weight in model.named_parameters():
                if key.endswith("_proj.bias"):  # transformers starts them at zero, which would hide a missing bias
                    weight.normal_(0, 0.3)
        loss = train(model, ids, steps=250)
        add_outlier_channels(model)
        round_weights(model, dtype)
        golden[f"tiny_{name}"] = write_golden(name, model, ids)
        write_folder(name, model, tokenizer, dtype, shards)
        if name == "llama":
            write_gguf(model, tokenizer)
        print(name, "loss", loss, golden[f"tiny_{name}"])
    (HERE / "tiny_golden.json").write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
