# SPDX-License-Identifier: Apache-2.0
"""Quality per bit of Scrooge and of other tools, in one table. See README.md.

Makes every row that results.jsonl lacks, adds its record, and writes table.md and table.json after each."""
import argparse
import datetime
import json
import os
import pathlib
import subprocess
import sys
import time

import table
from rows import CALIBRATION_ROWS, ROWS

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PEERS = HERE.parent / "peers"
RESULTS = HERE / "results.jsonl"
LENGTH, CONTEXT, WINDOWS = 512, 2048, 8
TOOLS = sorted({row.python for row in ROWS} - {"", "llama.cpp"})


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, fromfile_prefix_chars="@",
                                     epilog="@FILE: more of these from FILE, one a line, as ../peers/setup.sh leaves")
    parser.add_argument("--gguf", required=True, type=pathlib.Path, help="the original model")
    parser.add_argument("--text", required=True, type=pathlib.Path, help="folder with valid.txt and test.txt")
    parser.add_argument("--work", required=True, type=pathlib.Path, help="folder for checkpoints, logs and files")
    parser.add_argument("--scrooge", default=pathlib.Path("build/release/bin/scrooge"), type=pathlib.Path)
    parser.add_argument("--scrooge-commit", default=None, metavar="TEXT",
                        help="what --scrooge was built of; the commit of this tree unless given")
    parser.add_argument("--python", action="append", default=[], metavar="TOOL=PROGRAM",
                        help=f"interpreter of {', '.join(TOOLS)}")
    parser.add_argument("--llama-cpp", type=pathlib.Path, help="folder of llama-imatrix and llama-quantize")
    parser.add_argument("--llama-cpp-version", default="")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", action="append", default=[], metavar="TEXT",
                        help='rows whose key contains this, such as "GPTQModel, 4 bits g64"; also made if on record')
    parser.add_argument("--finished", action="store_true", help="only rows that a peer already left in the work folder")
    parser.add_argument("--list", action="store_true", help="name the rows, and which are on record")
    options = parser.parse_args()
    for name in ("gguf", "text", "work", "scrooge", "llama_cpp"):  # absolute: peers run in the work folder
        path = getattr(options, name)
        setattr(options, name, path and path.resolve())
    options.pythons = dict(pair.split("=", 1) for pair in options.python)
    options.pythons.setdefault("llama.cpp", options.pythons.get("autoawq", ""))
    return options


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))


def tree_commit():
    """The commit of this tree, with + where anything outside this folder was edited since; nothing without git."""
    git = ("git", "-C", str(ROOT))
    try:
        words = [*git, "rev-parse", "--short", "HEAD"]
        commit = subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
    edited = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", ".", f":(exclude){HERE.relative_to(ROOT)}"])
    return commit + ("+" if edited.returncode else "")


def run(command, log, threads, output=None):
    """Runs it with so many threads; gives wall seconds, processor seconds and the peak of resident memory."""
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads), HF_HUB_OFFLINE="1",
                       CUDA_VISIBLE_DEVICES="")  # on the CPU, also where there is a GPU
    started = time.monotonic()
    with open(log, "w", encoding="utf-8") as errors:
        child = subprocess.Popen([str(word) for word in command], stdout=output or errors, stderr=errors,
                                 env=environment, cwd=pathlib.Path(log).parent)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        if child.returncode < 0:  # the log knows nothing of it
            raise RuntimeError(f"ended by signal {-child.returncode}")
        lines = pathlib.Path(log).read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise RuntimeError(lines[-1] if lines else f"exit status {child.returncode}")
    return dict(seconds=round(time.monotonic() - started, 1), cpu_seconds=round(usage.ru_utime + usage.ru_stime, 1),
                peak_bytes=usage.ru_maxrss * 1024, threads=threads)


def ids_file(options, name, count=0):
    """The ids of a text in a file, by the same program for every tool; `count`: so many of them."""
    path = options.work / f"{name}.{count or 'all'}.ids"
    if not path.exists():
        command = [options.scrooge, "tokenize", options.gguf, "--file", options.text / name]
        ids = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
        path.write_text(" ".join(ids[:count] if count else ids) + "\n", encoding="utf-8")
    return path


def shared(options):
    return ["--gguf", options.gguf, "--text", options.text, "--work", options.work, "--scrooge", options.scrooge]


def by_peer(row, options):
    """Runs a peer's script, unless its model is there already."""
    facts = options.work / row.folder / "peer.json"
    if not facts.exists():
        python = options.pythons.get(row.python)
        if not python:
            raise LookupError(f"no --python for {row.python}")
        command = [python, PEERS / row.command[0], *row.command[1:], *shared(options), "--no-evaluation"]
        if row.bits:
            command += ["--bits", row.bits, "--group", row.group]
        if row.python == "llama.cpp":
            if not options.llama_cpp:
                raise LookupError("no --llama-cpp")
            command += ["--llama-cpp", options.llama_cpp, "--version", options.llama_cpp_version]
        run(command, options.work / f"{row.folder}.log", options.threads)
    known = json.loads(facts.read_text(encoding="utf-8"))
    return facts.parent, dict(
        version=known["tool"], seconds=known["seconds"], cpu_seconds=known["cpu_seconds"],
        peak_bytes=known["peak_rss_bytes"], threads=known["quantizing_threads"], file_bytes=known.get("file_bytes"),
        # Codes, a float16 scale and a zero point a group: what every packed format of these tools holds.
        bits_per_weight=known.get("bits_per_weight", row.bits + (16 + row.bits) / (row.group or 1)),
        **{name: known[name] for name in ("types", "note") if name in known})


def by_scrooge(row, options):
    file, report = options.work / "scrooge.scrooge", options.work / "scrooge.report.json"
    command = [options.scrooge, "quantize", options.work / "float16", "--output", file, "--report", report, "--bits",
               row.bits, "--group", row.group, "--asymmetric", "--threads", options.threads, "-q", *row.command]
    if "rtn" not in row.command:
        ids = ids_file(options, "valid.txt", row.samples * LENGTH)
        command += ["--calibration-ids", ids, "--samples", row.samples, "--length", LENGTH]
    facts = run(command, options.work / "scrooge.log", options.threads)
    version = subprocess.run([options.scrooge, "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout
    known = json.loads(report.read_text(encoding="utf-8"))
    commit = tree_commit() if options.scrooge_commit is None else options.scrooge_commit
    facts.update(version=version.strip(), file_bytes=file.stat().st_size, bits_per_weight=known["bits_per_weight"],
                 **(dict(commit=commit) if commit else {}),
                 **(dict(samples=row.samples) if row.samples != CALIBRATION_ROWS else {}))
    return file, facts


def make_original(options):
    """The float16 checkpoint that every tool starts from, in the work folder; made once."""
    folder = options.work / "float16"
    if not (folder / "config.json").exists():
        python = options.pythons.get("autoawq")
        if not python:
            sys.exit(f"{folder} is missing, and no --python autoawq=PROGRAM to make it: run ../peers/setup.sh")
        options.work.mkdir(parents=True, exist_ok=True)
        run([python, PEERS / "checkpoint.py", *shared(options)], options.work / "float16.log", options.threads)


def evaluate(model, options):
    path = options.work / "evaluation.json"
    command = [options.scrooge, "eval", model, "--token-ids", ids_file(options, "test.txt"), "--context", CONTEXT,
               "--max-windows", WINDOWS, "--threads", options.threads, "--json", "-q"]
    original = options.work / "float16"
    if model != original:
        command += ["--reference", original]
    with open(path, "w", encoding="utf-8") as output:
        run(command, options.work / "evaluation.log", options.threads, output)
    figures = json.loads(path.read_text(encoding="utf-8"))
    return {name: figures[name] for name in ("perplexity", "kl", "top1") if figures.get(name) is not None}


def make(row, options):
    if row.name == "original":
        model, facts = options.work / "float16", dict(bits_per_weight=16)
    elif row.folder:
        model, facts = by_peer(row, options)
    else:
        model, facts = by_scrooge(row, options)
    return dict(facts, windows=WINDOWS, **evaluate(model, options))


def wanted(row, options, recorded):
    if options.only:
        return any(text in row.key for text in options.only)
    if options.finished and row.folder and not (options.work / row.folder / "peer.json").exists():
        return False
    return row.key not in recorded


def main():
    options = arguments()
    recorded = table.read(RESULTS)
    if options.list:
        for row in ROWS:
            print("recorded" if row.key in recorded else "        ", row.key)
        return
    make_original(options)
    for row in ROWS:
        if not wanted(row, options, recorded):
            continue
        print(row.key, flush=True)
        record = dict(key=row.key, name=row.name, setting=row.setting, date=str(datetime.date.today()),
                      processor=processor())
        try:
            record.update(make(row, options))
        except LookupError as error:  # not this machine's fault, so nothing to record
            print(f"  left out: {error}", file=sys.stderr)
            continue
        except Exception as error:  # a peer that fails is a row with its error
            record["error"] = f"{type(error).__name__}: {error}"[:400]
        with open(RESULTS, "a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        table.write(HERE, RESULTS)


if __name__ == "__main__":
    main()
