# SPDX-License-Identifier: Apache-2.0
"""Makes table.md and table.json of results.jsonl; the last record of a row counts."""
import json
import pathlib

from rows import BLOCK_WEIGHTS, OTHER_WEIGHTS, ROWS, SETTINGS, WITHOUT_ROW

HEAD = ("tool", "bits a weight", "file", "perplexity", "KL", "top-1", "CPU seconds", "seconds", "threads",
        "peak memory", "date, commit")


def read(path):
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    return {record["key"]: record for record in map(json.loads, lines)}


def shown(record, name, form="{:.4f}", factor=1):
    value = record.get(name)
    return "-" if value is None else form.format(value * factor)


def file_size(record):
    """As written, or else what the weights alone would take."""
    if record.get("file_bytes") is not None:
        return shown(record, "file_bytes", "{:.1f} MB", 1e-6)
    computed = (BLOCK_WEIGHTS * record["bits_per_weight"] + OTHER_WEIGHTS * 16) / 8
    return f"{computed * 1e-6:.1f} MB, computed"


def wall_seconds(record):
    """Nothing where the machine had other work: a wait for the processor tells nothing about the tool."""
    waited = record.get("seconds", 0) > 1.1 * record.get("cpu_seconds", 0) + 1
    return "-" if waited else shown(record, "seconds", "{:.0f}")


def line(record):
    return (record.get("version", record["name"]) if record["setting"] == "own" else record["name"],
            shown(record, "bits_per_weight", "{:.3f}"), file_size(record), shown(record, "perplexity", "{:.2f}"),
            shown(record, "kl"), shown(record, "top1", "{:.1f} %", 100), shown(record, "cpu_seconds", "{:.0f}"),
            wall_seconds(record), shown(record, "threads", "{}"), shown(record, "peak_bytes", "{:.0f} MB", 1e-6),
            " ".join(filter(None, (record["date"], record.get("commit")))))


def processors(recorded):
    """Each with the dates of its rows."""
    dates = {}
    for record in recorded.values():
        dates.setdefault(record["processor"], set()).add(record["date"])
    return [(name, sorted(dates[name])) for name in sorted(dates)]


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
             "", "## Versions and processors", *(f"- {version}" for version in versions),
             *(f"- {name}: rows of {', '.join(dates)}" for name, dates in processors(recorded))]
    return "\n".join(text) + "\n"


def write(folder, results):
    recorded = read(results)
    ordered = [recorded[row.key] for row in ROWS if row.key in recorded]
    (folder / "table.md").write_text(markdown(recorded), encoding="utf-8")
    (folder / "table.json").write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    here = pathlib.Path(__file__).resolve().parent
    write(here, here / "results.jsonl")
