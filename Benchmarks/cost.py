"""Draws Benchmarks/cost.png from the lines of `fathom-bench cost` on standard input: cost of every conditional sampler
against width, depth and number of inputs."""

import json
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

MARKERS = "osD^v<>PX*hd"
rows = [json.loads(line) for line in sys.stdin if '"cost"' in line]
titles = {"n": "width n (d = 64, m = 2)", "d": "depth d (n = 256, m = 2)", "m": "inputs m (n = 1024, d = 16)"}
figure, axes = plt.subplots(1, 3, figsize=(13, 5), sharey=True)
labels = list(dict.fromkeys(row["label"] for row in rows))
for axis, name in zip(axes, titles, strict=True):
    for i, label in enumerate(labels):
        points = sorted((r["size"], r["ms"]) for r in rows if r["label"] == label and r["axis"] == name)
        axis.loglog(*zip(*points, strict=True), marker=MARKERS[i % len(MARKERS)], markersize=4, label=label)
    axis.set_xlabel(titles[name])
    axis.grid(alpha=0.3)
axes[0].set_ylabel("ms a draw, conditional sampler, one core")
figure.legend(*axes[0].get_legend_handles_labels(), loc="lower center", ncols=5, frameon=False)
figure.tight_layout(rect=(0, 0.12, 1, 1))
figure.savefig("Benchmarks/cost.png", dpi=110)
