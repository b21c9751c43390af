"""What the writers of the tables share."""

import json
import os
import platform
from pathlib import Path
from statistics import median


def read(path):
    return [json.loads(line) for line in Path(path).read_text().splitlines() if line.strip()]


def pick(rows, value, **keys):
    """Best value of the rows with these fields."""
    return min(row[value] for row in rows if all(row.get(k) == v for k, v in keys.items()))


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.processor()


def flags():
    text = Path("/proc/cpuinfo").read_text()
    return "AVX-512" if "avx512f" in text else "AVX2" if "avx2" in text else "SSE"


def replace(folder, name, section, beginning, end):
    """Puts a section of RESULTS.md, from its heading to the next, in the place of the old one; a new one goes before `end`.

    name: what run.sh calls it.
    section: a function of the rows of fathom, those of the peers, and a line on how they were made.
    """
    path = Path(__file__).parent / "RESULTS.md"
    text = path.read_text()
    old = text.index(beginning) if beginning in text else text.index(end)
    rest = text.index("\n## ", old) + 1 if beginning in text else old
    load = os.getloadavg()[0]
    where = f"on {processor()} ({flags()}), at a load of {load:.1f} on {os.cpu_count()} cores"
    words = f"\nThese rows by `Benchmarks/run.sh {name}`, passes of fathom and of its peers one after another, {where}."
    rows = section(read(folder / "native.json"), read(folder / "peers.json"), words)
    path.write_text(text[:old] + rows + "\n" + text[rest:])


def speedup(runs: list[dict], name: str) -> str:
    """Best times on 1 and 2 ranks, and the ratios of runs that followed each other."""
    one, two = ([row["seconds"] for row in runs if row["name"] == f"{name} {ranks}"] for ranks in (1, 2))
    ratios = sorted(a / b for a, b in zip(one, two, strict=True))
    return (
        f"{min(one):.2f} s on 1 rank, {min(two):.2f} s on 2 at best, {median(ratios):.2f}x "
        f"({ratios[0]:.2f} to {ratios[-1]:.2f} in {len(ratios)} pairs)"
    )
