# SPDX-License-Identifier: Apache-2.0
"""The rows of the table: which tool, at which setting, made by which command."""
import dataclasses

SETTINGS = ((4, 64), (4, 32), (3, 64))
EFFORTS = ("fast", "default", "max")


@dataclasses.dataclass(frozen=True)
class Row:
    name: str  # as the table shows it, without version
    bits: int  # 0: the original, or a file type with its own mixture
    group: int
    python: str = ""  # which --python runs the script; "": Scrooge itself or nothing
    command: tuple = ()  # script in ../peers and its options, or options of `scrooge quantize`
    folder: str = ""  # what the script leaves in the work folder

    @property
    def key(self):
        return f"{self.name}, {self.setting}"

    @property
    def setting(self):
        return f"{self.bits} bits g{self.group}" if self.bits else "own"


def peer(name, python, folder, *command, settings=SETTINGS):
    return [Row(name, bits, group, python, command, f"{folder}-{bits}g{group}") for bits, group in settings]


def llama_cpp(kind):
    # The folder is named after the protocol's default setting, which the file type overrules.
    return Row(f"llama.cpp {kind}, importance matrix", 0, 0, "llama.cpp", ("llama_cpp.py", "--type", kind),
               f"llama-cpp-{kind}-4g64")


def scrooge(name, *options):
    return [Row(name, bits, group, "", options) for bits, group in SETTINGS]


ROWS = [
    Row("original", 0, 0),
    *scrooge("round-to-nearest", "--method", "rtn"),
    *peer("AutoAWQ, saved weights copied", "autoawq", "autoawq", "autoawq.py"),
    *peer("llm-compressor AWQ, saved weights copied", "llm-compressor", "llm-compressor-awq", "llm_compressor.py",
          "--method", "awq"),
    *peer("llm-compressor GPTQ", "llm-compressor", "llm-compressor-gptq", "llm_compressor.py", "--method", "gptq"),
    *peer("llm-compressor GPTQ with act-order", "llm-compressor", "llm-compressor-gptq-with-act-order",
          "llm_compressor.py", "--method", "gptq", "--actorder"),
    *peer("GPTQModel", "gptqmodel", "gptqmodel", "gptqmodel_peer.py"),
    *peer("auto-round, 50 iterations", "auto-round", "auto-round", "auto_round_peer.py", "--iterations", "50"),
    *peer("Brevitas Qronos, block-wise", "brevitas", "brevitas-qronos", "brevitas_peer.py", "--method", "qronos"),
    llama_cpp("Q4_K_M"),
    llama_cpp("IQ4_XS"),
    *(row for effort in EFFORTS for row in scrooge(f"Scrooge, {effort}", "--effort", effort)),
]

# What has no row, and why; the table lists it below.
WITHOUT_ROW = {
    "auto-round, AWQ pre-pass": "the version that lives with the pinned torch and transformers (0.6.0) has none",
    "Brevitas GPTAQ": "0.12.1 has none",
    "Brevitas Qronos, whole model": "a pass over all rows for every linear; by estimate hours on one thread",
    "auto-round, 200 iterations (its default)": "did not fit in the time there was",
}
