"""Writes PROGRAM.md from what run.sh collected in a folder."""

import re
import sys
from pathlib import Path

from results_common import flags, pick, processor, read, speedup

folder = Path(sys.argv[1])
runs = read(folder / "runs.json")
small, large = pick(runs, "kib", name="draws 1e5"), pick(runs, "kib", name="draws 1e7")
checkpoint = (folder / "checkpoint.txt").read_text().strip()
match = re.search(r"after ([\d.]+) (s|min); (\d+) checkpoints?, ([\d.]+) s together", checkpoint)
total = float(match[1]) * (60 if match[2] == "min" else 1)
print(f"""# Benchmarks of the whole program

Made by `make bench` on {processor()} ({flags()}). Times are wall times of `mpirun` from start to end. Runs on 1 and on
2 ranks take turns, because a machine that others share changes its speed: the speed-up is the median of the ratios of neighbours.

- 60,000 networks of n = d = 256: {speedup(runs, "networks")}.
- One double well of N = 1e5, 20,000 steps of LMC, one replica on all ranks: {speedup(runs, "particles")}.
- Memory: {small / 1024:.1f} MiB for 1e5 draws, {large / 1024:.1f} MiB for 1e7 draws, {(large - small) / 1024:+.2f} MiB.
- Checkpoints at the default interval of 60 s, jobs/neural-covariance.toml with 250,000 draws on one rank: {match[3]} in
  {match[1]} {match[2]}, {match[4]} s together, {float(match[4]) / total:.2%} of the time.""")
