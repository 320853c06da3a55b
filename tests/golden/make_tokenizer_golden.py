# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/tokenizer_*.json: small tokenizers of every supported family and the ids that Hugging Face
`tokenizers` gives for a list of texts. Needs `pip install tokenizers`; downloads nothing; same output on every run.

Usage: python make_tokenizer_golden.py
"""
import json
import pathlib

from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

FOLDER = pathlib.Path(__file__).resolve().parent

GPT2_LIKE = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = GPT2_LIKE % r"\p{N}{1,3}"
QWEN2 = GPT2_LIKE % r"\p{N}"
GPT4O = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")

CORPUS = """
The quick brown fox jumps over the lazy dog. It wasn't the first time, and it won't be the last; they'll say so.
A river runs through the old town, past the mill and the market, under two stone bridges, and out to the sea.
She'd written the letter in the morning, but he hadn't read it until the evening, when the lamps were lit.
In 1984 the population was 12,345; by 2021 it had grown to 1,234,567, an increase of 99.0 percent.
There's nothing in the world that can't be measured, I'm told, and we've measured most of it. You're right.
def encode(self, text): return [self.table[token] for token in self.split(text) if token in self.table]
for (int i = 0; i < count; ++i) { total += values[i] * weights[i]; }  // the inner product of the two rows
    if (result == nullptr) {
        return error(kNotFound, "the file is not there");
    }
La rivière traverse la vieille ville; déjà l'été, les garçons naïfs mangent des crêpes à la crème brûlée.
Die Straße führt über die Brücke; größere Häuser stehen schöner am Fluß.
Быстрая коричневая лиса прыгает через ленивую собаку, и это не в первый раз.
敏捷的棕色狐狸跳过了懒狗。这不是第一次,也不会是最后一次。
すばやい茶色の狐がのろまな犬を飛び越える。これが初めてではない。
השועל החום המהיר קופץ מעל הכלב העצלן. الثعلب البني السريع يقفز فوق الكلب الكسول.
"""

TEXTS = [
    "", " ", "  ", "a", " a", "a ", "Hello world", "Hello  world   again    and", "The quick brown fox",
    "It wasn't they'll I'M YOU'RE don'T WE'VE he'd SHE'D it'S 'twas 'tis ''s 'ſ x'ſy",
    "  leading and trailing  ", "tab\there\t\ttwice \t mixed", "line\nline\n\nline\r\nline\r\r\nend\n", "\n", "\r\n", " \n ", "\n\n  x",
    "1 12 123 1234 12345 3.14159 1,234,567 0x1F 1e-9 ½ ² Ⅷ ٣٤ ๓ 一二 १२३",
    "def f(x):\n    return x ** 2  # square\n\n\tif not x: pass\n",
    "for (int i = 0; i < count; ++i) { total += values[i]; }",
    "naïve café déjà crème brûlée", "nai\u0308ve cafe\u0301 de\u0301ja\u0300 o\u0302\u0323 o\u0323\u0302 \u1e9b\u0323 \u212b \u2126",
    "\u1100\u1161\u11a8 각 \uac00\u11a8 \u0344 \u0958 \ufb1d", "e" + "\u0301\u0323" * 6 + "x",
    "Straße ẞ ß İ ı ŉ", "Быстрая коричневая лиса", "敏捷的棕色狐狸跳过了懒狗。", "すばやい茶色の狐ガ", "שועל חום مهير الثعلب",
    "\u202bmixed עברית and English\u202c", "😀 😀😀 👍🏽 👨‍👩‍👧‍👦 🇩🇪🏳️‍🌈 ❤️ ☺", "zero\u200bwidth\u200djoiner\u2060\ufeff",
    "\u0000", "a\u0000b\u0001\u001b[0m\u007f", "nbsp\u00a0em\u2003ideographic\u3000nel\u0085ls\u2028ps\u2029mvs\u180eend",
    "x" * 70, " " * 33 + "x", "x" + " " * 40, "\t" * 9 + "x", "=" * 35 + ">", "----====----", "a" * 9 + " " + "ab" * 20,
    "▁", " ▁ ▁▁ x", "▁Hello ▁world", "<s>", "<s>Hello</s>", "<s> Hello </s> world<s>", "Hello<s>there <unk> you",
    "<|end|>", "a<|end|>b", "a <|end|> b<|end|><|end|>", "<|end", "<|end|", "<|end|>|>", "<|end|>>", "<<|end|>",
    "x <mask> y", "x<mask>y", "  <mask>  ", "a\t<mask>\n<mask> b", "\u3000<mask>\u3000z", "tok", "tok tok", "xtok tokx tok.", "_tok_ 1tok tok2 étok",
    "\u0301tok", "naïf", "nai\u0308f", "a naïf b", "spam", "spamspam spammer", "spa spamm", "foo bar", "foo  bar", "foobar <new> foo",
    "<new><s><mask><|end|>tok", "longlongest longest long", "𠀀𠀁 \U00030000 \U00031350 ᲊ Ᲊ \u0897a \U00010d40\U00010d41 \U0001e5f1",
    "!?.,;:'\"()[]{}<>/\\|@#$%^&*-_=+~`", "don’t ‘quote’ “double” — dash…", "a.b.c", "www.example.org/path?q=1&r=2", "CamelCaseHTTPServer snake_case",
    "ligature ﬁ ﬂ ﬆ", "Å Å Å", "math ∑∫√ ≠ 𝔘𝔫𝔦", "The river runs through the old town, past the mill and the market.",
]

BYTES = [
    b"\xff", b"a\xffb", b"\x80\x80", b"\xc3", b"caf\xc3", b"\xe2\x82", b"\xe2\x82x", b"\xf0\x9f\x98", b"\xf0\x9f\x98 ok", b"\xc0\xaf",
    b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe0\x80\xaf", b"\xf5\x81", b"ok \xe4\xb8\xad\xe4\xb8 end\xfe\xff", b"<s>\xff<|end|>",
]


def train(merges, pre, normalizer=None, alphabet=None, special=()):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    trainer = trainers.BpeTrainer(vocab_size=len(alphabet or []) + len(special) + merges, show_progress=False,
                                  initial_alphabet=alphabet or [], special_tokens=list(special), min_frequency=1)
    tokenizer.train_from_iterator(CORPUS.splitlines(keepends=True), trainer)
    return json.loads(tokenizer.to_str())


ADDED = [
    AddedToken("<|end|>", special=True, normalized=False),
    AddedToken("<mask>", special=True, normalized=False, lstrip=True, rstrip=True),
    AddedToken("<new>", special=False, normalized=False, rstrip=True),
    AddedToken("tok", special=False, normalized=False, single_word=True),
    AddedToken("naïf", special=False, normalized=True),
    AddedToken("spam", special=False, normalized=True, lstrip=True),
    AddedToken("long", special=False, normalized=False),
    AddedToken("longest", special=False, normalized=False),
]


def add_tokens(document, tokens):
    tokenizer = Tokenizer.from_str(json.dumps(document))
    for token in tokens:
        (tokenizer.add_special_tokens if token.special else tokenizer.add_tokens)([token])
    return json.loads(tokenizer.to_str())


def byte_level(merges, pre, normalizer=None, **model):
    document = train(merges, pre, normalizer, sorted(pre_tokenizers.ByteLevel.alphabet()), ["<s>"])
    document["model"].update(model)
    return add_tokens(document, ADDED)


def template(document, bos):
    tokenizer = Tokenizer.from_str(json.dumps(document))
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single=f"{bos} $A", pair=f"{bos} $A {bos} $B",
                                      special_tokens=[(bos, tokenizer.token_to_id(bos))])])
    return json.loads(tokenizer.to_str())


def sentencepiece(merges, pre, normalizer, byte_tokens=256, fuse=True, fallback=True, skip=()):
    """A vocabulary in the order of a SentencePiece model, with every merge its pieces allow, as converters write it."""
    spaced = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    trained = train(merges, pre_tokenizers.Split(Regex("(?=▁)"), "isolated"), spaced)
    pieces = [t for t, _ in sorted(trained["model"]["vocab"].items(), key=lambda item: item[1]) if t not in skip]
    characters = [t for t in pieces if len(t) == 1]
    words = [t for t in pieces if len(t) > 1]
    ordered = ["<unk>", "<s>", "</s>"] + ["<0x%02X>" % b for b in range(byte_tokens)] + words + characters
    vocab = {t: i for i, t in enumerate(ordered)}
    pairs = []
    for word in words:
        cuts = [(word[:i], word[i:]) for i in range(1, len(word)) if word[:i] in vocab and word[i:] in vocab]
        pairs += sorted(cuts, key=lambda cut: (vocab[cut[0]], vocab[cut[1]]))
    model = {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None, "end_of_word_suffix": None,
             "fuse_unk": fuse, "byte_fallback": fallback, "ignore_merges": False, "vocab": vocab, "merges": [list(p) for p in pairs]}
    document = dict(trained, model=model, normalizer=None, pre_tokenizer=None)
    tokenizer = Tokenizer.from_str(json.dumps(document))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    if pre is not None:
        tokenizer.pre_tokenizer = pre
    specials = [AddedToken(t, special=True, normalized=False) for t in ("<unk>", "<s>", "</s>")]
    return add_tokens(json.loads(tokenizer.to_str()), specials + ADDED)


def split_by(behavior, invert):
    pre = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(r"[aeiou ]+?|\d+"), behavior, invert),
                                   pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    document = train(120, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False), None,
                     sorted(pre_tokenizers.ByteLevel.alphabet()))
    tokenizer = Tokenizer.from_str(json.dumps(document))
    tokenizer.pre_tokenizer = pre
    return json.loads(tokenizer.to_str())


def build():
    byte_end = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)

    def split(pattern):
        return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"), byte_end])

    legacy = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    meta = pre_tokenizers.Metaspace
    families = {
        "gpt2": byte_level(500, pre_tokenizers.ByteLevel(add_prefix_space=False)),
        "gpt2_prefix": byte_level(200, pre_tokenizers.ByteLevel(add_prefix_space=True)),
        "smollm": byte_level(500, pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                                           pre_tokenizers.ByteLevel(add_prefix_space=False)])),
        "digit_runs": byte_level(150, pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=False),
                                                               pre_tokenizers.ByteLevel(add_prefix_space=False)])),
        "llama3": template(byte_level(500, split(LLAMA3), ignore_merges=True), "<s>"),
        "qwen2": byte_level(500, split(QWEN2), normalizers.NFC()),
        "gpt4o": byte_level(150, split(GPT4O)),
        "llama2": sentencepiece(500, None, legacy),
        "metaspace_first": sentencepiece(200, meta(prepend_scheme="first", split=False), None),
        "metaspace_always": sentencepiece(200, meta(prepend_scheme="always", split=True), None),
        "metaspace_never": sentencepiece(200, meta(prepend_scheme="never", split=True), None, byte_tokens=0xe5, fuse=False),
        "unknown_fused": sentencepiece(60, meta(prepend_scheme="first", split=True), None, byte_tokens=0x80, skip=("n", "狐")),
        "unknown_single": sentencepiece(60, None, legacy, byte_tokens=0, fuse=False, fallback=False, skip=("n",)),
    }
    # Words that no merge makes: ignore_merges must find them.
    llama3 = families["llama3"]["model"]
    last = max(llama3["vocab"].values())
    clash = {t["id"] for t in families["llama3"]["added_tokens"] if t["id"] > last}
    for added in families["llama3"]["added_tokens"]:
        if added["id"] in clash:
            added["id"] += 2
    llama3["vocab"].update({"ĠHello": last + 1, "Ġworld": last + 2})
    # The older form of the merges.
    for name in ("gpt2", "llama2"):
        model = families[name]["model"]
        model["merges"] = [" ".join(merge) for merge in model["merges"]]
    for invert in (False, True):
        for behavior in ("isolated", "removed", "merged_with_previous", "merged_with_next", "contiguous"):
            families[f"split_{behavior}{'_inverted' if invert else ''}"] = split_by(behavior, invert)
    return families


def main():
    inputs = [text.encode() for text in TEXTS] + BYTES
    families = build()
    # The split variants differ only in their pre-tokenizer: one file, and a small one each for the rest.
    shared = dict(families["split_isolated"])
    variants = {}
    expected = {}
    for name, document in families.items():
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        tokenizer = Tokenizer.from_str(text)
        expected[name] = [tokenizer.encode(data.decode("utf-8", errors="replace"), add_special_tokens=False).ids for data in inputs]
        if name.startswith("split_"):
            variants[name] = document["pre_tokenizer"]
            assert dict(document, pre_tokenizer=None) == dict(shared, pre_tokenizer=None)
        else:
            (FOLDER / f"tokenizer_{name}.json").write_text(text + "\n")
    shared["variants"] = variants
    (FOLDER / "tokenizer_split.json").write_text(json.dumps(shared, ensure_ascii=False, separators=(",", ":")) + "\n")
    lines = ["{\"inputs_hex\":", json.dumps([data.hex() for data in inputs], separators=(",", ":"))]
    for name, ids in expected.items():
        lines += [f",\"{name}\":", json.dumps(ids, separators=(",", ":"))]
    (FOLDER / "tokenizer_expected.json").write_text("\n".join(lines + ["}"]) + "\n")


if __name__ == "__main__":
    main()
