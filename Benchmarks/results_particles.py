"""Writes PARTICLES.md from what run.sh collected in a folder."""

import sys
from pathlib import Path

from results_common import flags, pick, processor, read

folder = Path(sys.argv[1])
native, peers = (read(folder / name) for name in ("native.json", "peers.json"))
vector = max(row["per_ns"] for row in native if row["name"] == "fma")
print(f"""# Benchmarks of the particle systems

Made by `make bench` on {processor()} ({flags()}); one core unless it says otherwise, best of several repetitions, peers in
between two passes of fathom. During this run the core made {vector:.2f} fused multiply-adds of eight doubles a nanosecond at best
(a core of its own at 3 GHz with two AVX-512 units: 6). Read the ratios.

## Steps

| system | fathom | peer | peer's | fathom is faster by |
|---|---|---|---|---|""")


def time(label):
    return pick(native, "seconds", name="particles", label=label)


for row in peers:
    label = row["label"]
    ours, work = time(label), pick(native, "work", name="particles", label=label)
    print(
        f"| {label} | {ours / work * 1e9:.4g} ns a particle step | {row['peer']} | {row['seconds'] / work * 1e9:.4g} ns |"
        f" {row['seconds'] / ours:.1f}x |"
    )
print("""
## Effective samples

The same step size and trajectory for both; ArviZ's bulk effective sample size of x, mean over the 100 coordinates, of the chains
of each.

| sampler | effective samples a step: fathom, BlackJAX | a second: fathom | BlackJAX | ratio |
|---|---|---|---|---|""")
for row in peers:
    if "ess" in row:
        mine, theirs = 64 * row["own_ess"] / time(row["label"]), 64 * row["ess"] / row["seconds"]
        print(f"| {row['label']} | {row['own_ess']:.4f}, {row['ess']:.4f} | {mine:,.0f} | {theirs:,.0f} | {mine / theirs:.1f}x |")
pairs = time("all pairs, 2-D, 1/r^2, N = 8192")
print(f"""
## All pairs

All pairs in two dimensions with the force x/r^2, N = 8192: {8192 * 8192 / pairs / 1e9:.2f}e9 ordered pairs a second, whole
steps with their normals.""")
