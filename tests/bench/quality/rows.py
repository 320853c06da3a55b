# SPDX-License-Identifier: Apache-2.0
"""The rows of the table: which tool, at which setting, made by which command."""
import dataclasses

SETTINGS = ((4, 64), (4, 32), (3, 64))
AT_64 = ((4, 64), (3, 64))
EFFORTS = ("fast", "default", "max")
CALIBRATION_ROWS = 32

# Weights of SmolLM2-135M: those of the blocks' linears, and the rest, which every tool keeps in 16 bits or more.
BLOCK_WEIGHTS, OTHER_WEIGHTS = 106_168_320, 28_346_688


@dataclasses.dataclass(frozen=True)
class Row:
    name: str  # as the table shows it, without version
    bits: int  # 0: the original, or a file type with its own mixture
    group: int
    python: str = ""  # which --python runs the script; "": Scrooge itself or nothing
    command: tuple = ()  # script in ../peers and its options, or options of `scrooge quantize`
    folder: str = ""  # what the script leaves in the work folder
    samples: int = CALIBRATION_ROWS  # rows of calibration; more than the protocol's only where the name says so

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


def scrooge(name, *options, settings=SETTINGS, samples=CALIBRATION_ROWS):
    return [Row(name, bits, group, "", options, samples=samples) for bits, group in settings]


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
    *peer("GPTQModel, GPTAQ", "gptaq", "gptqmodel-gptaq", "gptqmodel_peer.py", "--gptaq"),
    *peer("auto-round, AWQ pre-pass", "auto-round-awq", "auto-round-awq-0", "auto_round_awq_peer.py"),
    *peer("auto-round, 50 iterations", "auto-round", "auto-round-50", "auto_round_peer.py", "--iterations", "50"),
    *peer("Brevitas Qronos, block-wise", "brevitas", "brevitas-qronos", "brevitas_peer.py", "--method", "qronos"),
    llama_cpp("Q4_K_M"),
    llama_cpp("IQ4_XS"),
    *(row for effort in EFFORTS for row in scrooge(f"Scrooge, {effort}", "--effort", effort)),
    *scrooge("Scrooge, default, 128 x 512", "--effort", "default", settings=AT_64, samples=128),
    # Hours each.
    *peer("auto-round, AWQ pre-pass, 50 iterations", "auto-round-awq", "auto-round-awq-50", "auto_round_awq_peer.py",
          "--iterations", "50", settings=AT_64),
    *peer("auto-round, 200 iterations", "auto-round", "auto-round-200", "auto_round_peer.py", "--iterations", "200",
          settings=AT_64),
    *peer("Brevitas Qronos, whole model", "brevitas", "brevitas-qronos-whole-model", "brevitas_peer.py", "--method",
          "qronos", "--whole-model", settings=AT_64),
]

# What has no row, and why; the table lists it below.
WITHOUT_ROW = {
    "Brevitas GPTAQ": "no version up to 0.13.4 has it; GPTQModel's has rows",
}
