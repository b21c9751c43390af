"""The rows of density estimates and designs. By itself it puts them into RESULTS.md: results_estimation.py FOLDER"""

import sys
from pathlib import Path

from results_common import pick, replace

BEGINNING, END = "## Densities and designs", "## Closed kernels"


def section(native: list[dict], peers: list[dict], words: str = "") -> str:
    """Tables from the output of `fathom-bench estimation` and of `peers_estimation.py`."""
    lines = [BEGINNING, *([words] if words else []), ""]
    lines += ["Milliseconds a draw of a kernel density estimate from n = exp(d/2) points, at its condensation width.", ""]
    lines += ["| d | n | fathom | peer | its time | fathom is faster by |", "|---|---|---|---|---|---|"]
    for d, n in dict.fromkeys((row["dimension"], row["points"]) for row in native if row["name"] == "density"):
        mine, other = (pick(rows, "ms", name="density", dimension=d) for rows in (native, peers))
        peer = next(row["peer"] for row in peers if row["name"] == "density" and row["dimension"] == d)
        lines.append(f"| {d} | {n:,} | {mine:.3f} | {peer} | {other:.3g} | {other / mine:,.0f}x |")
    lines += ["", "Microseconds a draw of the determinantal process of the first m orthonormal polynomials.", ""]
    lines += ["| law | m | sampler | fathom | peer | its time | fathom is faster by |", "|---|---|---|---|---|---|---|"]
    theirs = [row for row in peers if row["name"] == "projection"]
    for law, sampler, m in dict.fromkeys((row["law"], row["sampler"], row["points"]) for row in theirs):
        keys = {"name": "projection", "law": law, "sampler": sampler, "points": m}
        mine, other = (pick(rows, "us", **keys) for rows in (native, peers))
        lines.append(f"| {law} | {m} | {sampler} | {mine:.2f} | {theirs[0]['peer']} | {other:,.0f} | {other / mine:,.0f}x |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    replace(Path(sys.argv[1]), "estimation", section, BEGINNING, END)
