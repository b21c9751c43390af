"""The rows of Coulomb gases. By itself it puts them into RESULTS.md: results_coulomb.py FOLDER"""

import sys
from pathlib import Path

from results_common import replace

BEGINNING, END = "## Coulomb gases", "## Closed kernels"


def section(native: list[dict], peers: list[dict], words: str = "") -> str:
    """Tables from the output of `fathom-bench coulomb` and of `peers_coulomb.py`."""
    pairs = [row for row in native if row["name"] == "coulomb-pairs"]
    lines = [BEGINNING, *([words] if words else []), "", "Unordered pairs a second, in 10^9.", ""]
    lines += ["| d | N | energy with gradient | gradient |", "|---|---|---|---|"]
    for d, n in dict.fromkeys((row["dimension"], row["number"]) for row in pairs):
        cells = [
            max(row["pairs_per_second"] for row in pairs if (row["dimension"], row["number"], row["what"]) == (d, n, what))
            for what in ("energy", "gradient")
        ]
        lines.append(f"| {d} | {n} | " + " | ".join(f"{cell / 1e9:.2f}" for cell in cells) + " |")
    lines += [
        "",
        "Microseconds an effective sample of sum r^2 in the plane: independent draws at beta = 2, the radii against the",
        "eigenvalues of a matrix; at beta = 4 Hamiltonian Monte Carlo with the same steps and trajectories on both sides, whose",
        "effective samples a trajectory are taken from the peer's chain for both.",
        "",
        "| N | law | fathom | peer | its time | fathom is faster by |",
        "|---|---|---|---|---|---|",
    ]
    pairing = {"Ginibre": "ginibre-radii", "hmc, beta = 4": "hmc, beta = 4"}
    theirs = [row for row in peers if row["name"] == "coulomb-draw"]
    for label, n in dict.fromkeys((row["label"], row["number"]) for row in theirs):
        best = min((row for row in theirs if (row["label"], row["number"]) == (label, n)), key=lambda row: row["seconds"])
        own = min(
            row["seconds"]
            for row in native
            if row["name"] == "coulomb-draw" and (row["label"], row["number"]) == (pairing[label], n)
        )
        mine, other = (1e6 * seconds / best["effective"] for seconds in (own, best["seconds"]))
        lines.append(f"| {n} | {label} | {mine:.1f} | {best['peer']} | {other:,.0f} | {other / mine:,.1f}x |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    replace(Path(sys.argv[1]), "coulomb", section, BEGINNING, END)
