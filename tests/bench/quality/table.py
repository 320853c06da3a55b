# SPDX-License-Identifier: Apache-2.0
"""Makes table.md and table.json of results.jsonl; the last record of a row counts."""
import json
import pathlib

from rows import ROWS, SETTINGS, WITHOUT_ROW

HEAD = ("tool", "bits a weight", "file", "perplexity", "KL", "top-1", "seconds", "CPU seconds", "threads",
        "peak memory", "date")


def read(path):
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    return {record["key"]: record for record in map(json.loads, lines)}


def shown(record, name, form="{:.4f}", factor=1):
    value = record.get(name)
    return "-" if value is None else form.format(value * factor)


def line(record):
    return (record.get("version", record["name"]) if record["setting"] == "own" else record["name"],
            shown(record, "bits_per_weight", "{:.3f}"), shown(record, "file_bytes", "{:.1f} MB", 1e-6),
            shown(record, "perplexity", "{:.2f}"), shown(record, "kl"), shown(record, "top1", "{:.1f} %", 100),
            shown(record, "seconds", "{:.0f}"), shown(record, "cpu_seconds", "{:.0f}"),
            shown(record, "threads", "{}"), shown(record, "peak_bytes", "{:.0f} MB", 1e-6), record["date"])


def markdown(recorded):
    groups = ["own", *(f"{bits} bits g{group}" for bits, group in SETTINGS)]
    titles = {"own": "The original, and file types with a mixture of their own"}
    text = ["<!-- SPDX-License-Identifier: Apache-2.0 -->", "# Quality per bit", "",
            "Made by quality.py of results.jsonl; do not edit. README.md tells how to read it."]
    for setting in groups:
        rows = [row for row in ROWS if row.setting == setting]
        good = [recorded[row.key] for row in rows if row.key in recorded and "error" not in recorded[row.key]]
        good.sort(key=lambda record: record.get("kl", 0))
        text += ["", f"## {titles.get(setting, setting + ', asymmetric')}", "", f"| {' | '.join(HEAD)} |",
                 "| --- " * len(HEAD) + "|"]
        text += [f"| {' | '.join(line(record))} |" for record in good]
        text += [f"\n{row.name}: failed, `{recorded[row.key]['error']}`" for row in rows
                 if "error" in recorded.get(row.key, {})]
        missing = [row.name for row in rows if row.key not in recorded]
        if missing:
            text += ["", f"Not run yet: {'; '.join(missing)}."]
    notes = [f"- {record['key']}: {record['note']}" for record in recorded.values() if "note" in record]
    versions = sorted({record["version"] for record in recorded.values() if "version" in record})
    text += ["", "## Without a row", *(f"- {name}: {why}." for name, why in WITHOUT_ROW.items()),
             *(["", "## Notes", *notes] if notes else []),
             "", "## Versions and processor", *(f"- {version}" for version in versions),
             *(f"- {name}" for name in sorted({record["processor"] for record in recorded.values()}))]
    return "\n".join(text) + "\n"


def write(folder, results):
    recorded = read(results)
    ordered = [recorded[row.key] for row in ROWS if row.key in recorded]
    (folder / "table.md").write_text(markdown(recorded), encoding="utf-8")
    (folder / "table.json").write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    here = pathlib.Path(__file__).resolve().parent
    write(here, here / "results.jsonl")
