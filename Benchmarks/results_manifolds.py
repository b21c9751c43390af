"""Writes MANIFOLDS.md from the output of `fathom-bench manifolds` and of `peers_manifolds.py`: results_manifolds.py FOLDER"""

import os
import sys
from pathlib import Path

from results_common import flags, pick, processor, read

folder = Path(sys.argv[1])
native, peers = (read(folder / f"{name}.json") for name in ("native", "peers"))
names = list(dict.fromkeys(row["peer"] for row in peers))
where = f"one core of {processor()} ({flags()}), at a load of {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
print(f"""# Moves on spheres

By `Benchmarks/run.sh manifolds`, on {where}:
the best of the passes of fathom and of its peers, one after another. An alternating ring of 4,096 spins on S^(k-1), K = 2:
nanoseconds for a new place of one spin, field included, and in brackets how many times those of fathom. The peers follow the
same rules, even spins and then odd ones together; times of the processor. fathom's draws have the same bits on any number of
ranks.

| integrator | k | fathom | {" | ".join(names)} |
|---|---|---|{"---|" * len(names)}""")
for row in {(row["move"], row["rank"]): row for row in native if row["name"] == "manifold"}.values():
    keys = {"move": row["move"], "rank": row["rank"]}
    own = pick(native, "seconds", name="manifold", **keys)
    cells = []
    for name in names:
        there = [p for p in peers if p["peer"] == name and all(p[k] == v for k, v in keys.items())]
        cells.append(
            f"{1e9 * min(p['seconds'] for p in there):.0f} ({min(p['seconds'] for p in there) / own:.1f}x)" if there else ""
        )
    print(f"| {row['move']} | {row['rank']} | {1e9 * own:.1f} | " + " | ".join(cells) + " |")
