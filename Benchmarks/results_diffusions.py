"""The rows of diffusions. By itself it puts them into RESULTS.md: results_diffusions.py FOLDER"""

import sys
from pathlib import Path

from results_common import replace

BEGINNING, END = "## Diffusions with exact scores", "## Closed kernels"


def section(native: list[dict], peers: list[dict], words: str = "") -> str:
    """A table from the output of `fathom-bench diffusion` and of `peers_diffusions.py`."""
    lines = [
        BEGINNING,
        *([words] if words else []),
        "",
        "Steps a second of one sample in 64 dimensions, E[x | Y, t] over all points of a kernel mixture and a normal step,",
        "64 samples side by side, double precision. Matrix products of the peers are by Eigen and OpenBLAS, whose bits depend on",
        "the CPU.",
        "",
        "| points | program | steps a second | fathom is faster by |",
        "|---|---|---|---|",
    ]
    for points in dict.fromkeys(row["points"] for row in native if row["name"] == "diffusion"):
        mine = max(row["per_second"] for row in native if row["name"] == "diffusion" and row["points"] == points)
        lines.append(f"| {points} | fathom | {mine:,.0f} | |")
        theirs = [row for row in peers if row["name"] == "diffusion" and row["points"] == points]
        for peer in dict.fromkeys(row["peer"] for row in theirs):
            rate = max(row["per_second"] for row in theirs if row["peer"] == peer)
            lines.append(f"| {points} | {peer} | {rate:,.0f} | {mine / rate:.2f}x |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    replace(Path(sys.argv[1]), "diffusions", section, BEGINNING, END)
