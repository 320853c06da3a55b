# SPDX-License-Identifier: Apache-2.0
"""llama.cpp's k-quants and i-quants with an importance matrix, by the protocol of README.md. Prints one line of JSON.

The embedding, which is also the head, keeps the Q8_0 of the original; what is evaluated has its linears only."""
import os
import pathlib
import subprocess
import sys
import time

import gguf
from transformers import AutoModelForCausalLM

import protocol


class Cost:
    """Sums what child processes took."""

    def __init__(self):
        self.seconds = self.cpu_seconds = self.peak = 0

    def run(self, *command):
        started = time.monotonic()
        child = subprocess.Popen([str(word) for word in command], stdout=sys.stderr)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise subprocess.CalledProcessError(child.returncode, command)
        self.seconds += time.monotonic() - started
        self.cpu_seconds += usage.ru_utime + usage.ru_stime
        self.peak = max(self.peak, usage.ru_maxrss * 1024)


def block_linears(path):
    """The bits a weight of the linears of the blocks, and how many of them have which type."""
    weights = stored = 0
    types = {}
    for tensor in gguf.GGUFReader(path).tensors:
        if tensor.name.startswith("blk.") and len(tensor.shape) == 2:
            weights += int(tensor.n_elements)
            stored += int(tensor.n_bytes)
            types[tensor.tensor_type.name] = types.get(tensor.tensor_type.name, 0) + 1
    return 8 * stored / weights, types


def main():
    parser = protocol.arguments(__doc__)
    parser.add_argument("--type", required=True, help="of the file, such as Q4_K_M or IQ4_XS")
    parser.add_argument("--llama-cpp", required=True, type=pathlib.Path, help="folder of llama-imatrix, llama-quantize")
    parser.add_argument("--version", default="", help="of llama.cpp, for the record")
    options = parser.parse_args()
    folder = protocol.checkpoint(options)
    threads = int(os.environ.get("OMP_NUM_THREADS", os.cpu_count()))
    full, matrix, file = (options.work / name for name in ("f32.gguf", "imatrix.gguf", f"{options.type}.gguf"))
    quantize = (options.llama_cpp / "llama-quantize", "--allow-requantize")
    if not full.exists():
        Cost().run(*quantize, options.gguf, full, "F32", threads)
    cost = Cost()
    cost.run(options.llama_cpp / "llama-imatrix", "-m", full, "-f", options.text / "valid.txt", "-o", matrix,
             "-c", protocol.LENGTH, "--chunks", options.rows, "-t", threads, "--no-ppl")
    cost.run(*quantize, "--imatrix", matrix, "--token-embedding-type", "q8_0", full, file, options.type, threads)
    quantized = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name)
    plain = protocol.load(folder)
    for (_, target), (_, source) in zip(protocol.linears(plain), protocol.linears(quantized)):
        target.weight.copy_(source.weight)
    bits, types = block_linears(file)
    protocol.report_saved(protocol.save(
        plain, options, f"llama-cpp-{options.type}", tool=f"llama.cpp {options.version}".strip() + f", {options.type}",
        seconds=round(cost.seconds, 1), cpu_seconds=round(cost.cpu_seconds, 1), quantizing_threads=threads,
        peak_rss_bytes=cost.peak, bits_per_weight=bits, file_bytes=file.stat().st_size, types=types), options)


if __name__ == "__main__":
    main()
