"""All benchmarks, one table: `make bench` (an hour on two cores; the machine should have nothing else to do)."""

import json
import os
import platform
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
    for module in sys.argv[1:] or MODULES:
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
    table = "\n".join([header(), *(as_row(row) for row in rows)])
    (ROOT / "docs" / "benchmarks.md").write_text(table + "\n")
    print(table)


def header() -> str:
    return f"""# Benchmarks

`make bench`, {datetime.now(UTC):%Y-%m-%d}, {processor()}, {os.cpu_count()} cores, Python {platform.python_version()}.
Medians of the runs, smallest and largest in brackets; both ways in the same run on the same inputs. The plain way is
`benchmarks/plain.py` and its like: torch in fp32, Pillow, umap-learn and `json` as their tutorials use them. Servers,
networks and kernels are warm unless a row says "first".

| what | plain | ours | ratio | |
|---|---|---|---|---|"""


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
    told = ", ".join(name for flag, name in names.items() if flag in has)
    return f"{facts.get('model name', platform.processor())} ({told})"


if __name__ == "__main__":
    main()
