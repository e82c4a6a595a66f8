"""All benchmarks, one table: `make bench` (an hour on two cores; the machine should have nothing else to do).

    python -m benchmarks.run growth large_upload       only these

The table becomes a section of docs/benchmarks.md, in place of one of the same machine and benchmarks.
"""

import json
import os
import platform
import re
import statistics
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MODULES = (
    "decoding",
    "upload",
    "extraction",
    "layout",
    "clusters",
    "maps",
    "large_upload",
    "growth",
    "serving",
    "neighbours",
    "formats",
    "viewer",
)


def main() -> None:
    rows = []
    modules = sys.argv[1:]
    for module in modules or MODULES:
        print(f"{module} …", file=sys.stderr, flush=True)
        command = [sys.executable, "-m", f"benchmarks.{module}"]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith("{"):
                    rows.append(normalised(json.loads(line)))
                    print(as_row(rows[-1]), file=sys.stderr, flush=True)
        if process.returncode:
            sys.exit(f"{module} failed")
    heading = f"## {', '.join(modules) or 'All'}, on {processor()}"
    section = "\n".join([header(heading), *(as_row(row) for row in rows)]) + "\n\n"
    document = ROOT / "docs" / "benchmarks.md"
    document.write_text(with_section(document.read_text(), heading, section))
    print(section)


def header(heading: str) -> str:
    return f"""{heading}

`make bench`, {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}.

| what | plain | ours | ratio | |
|---|---|---|---|---|"""


def with_section(document: str, heading: str, section: str) -> str:
    """A document whose section of this heading is this one; a new one comes first."""
    introduction, *sections = re.split(r"^(?=## )", document, flags=re.MULTILINE)
    others = [each for each in sections if each.splitlines()[0] != heading]
    place = next((k for k, each in enumerate(sections) if each.splitlines()[0] == heading), 0)
    return "".join([introduction, *others[:place], section, *others[place:]]).rstrip() + "\n"


def normalised(row: dict[str, Any]) -> dict[str, Any]:
    """Single figures as lists, and what is neither a time nor a ratio as a note."""
    row = {"plain": None, "ours": None} | row
    for name in ("plain", "ours"):
        if f"{name}_s" in row:
            row[name] = [row.pop(f"{name}_s")]
    notes = [row["note"]] if row.get("note") else []
    if "bytes" in row:
        notes.append(f"{row['bytes'] / 1e6:.2f} MB")
    if "ours_mb" in row:
        notes.append(f"{row['ours_mb']:.0f} MB")
    if "p99_ratio" in row:
        idle, busy = row["idle_p99_s"] * 1000, row["upload_p99_s"] * 1000
        notes.append(f"p99 idle {idle:.1f} ms, while an upload is computed {busy:.1f} ms: {row['p99_ratio']:.1f}×")
    return row | {"note": "; ".join(notes)}


def as_row(row: dict[str, Any]) -> str:
    plain, ours = row.get("plain"), row.get("ours")
    ratio = f"{statistics.median(plain) / statistics.median(ours):.1f}×" if plain and ours else ""
    return f"| {row['what']} | {spread(plain)} | {spread(ours)} | {ratio} | {row.get('note', '')} |"


def spread(seconds: list[float] | None) -> str:
    if not seconds:
        return ""
    middle = statistics.median(seconds)
    text = f"{middle:.2f} s" if middle >= 1 else f"{middle * 1000:.1f} ms"
    return text if len(seconds) == 1 else f"{text} ({min(seconds):.3g}–{max(seconds):.3g} s)"


def processor() -> str:
    """Its name, which tells little on rented machines, and those of its instructions that decide most here."""
    facts = dict(line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line)
    facts = {name.strip(): value.strip() for name, value in facts.items()}
    has = set(facts.get("flags", "").split())
    names = {"avx2": "AVX2", "avx512f": "AVX-512", "avx512_bf16": "bf16", "avx512_vnni": "VNNI", "amx_tile": "AMX"}
    features = ", ".join(name for flag, name in names.items() if flag in has)
    return f"{facts.get('model name', platform.processor())} ({features})"


if __name__ == "__main__":
    main()
