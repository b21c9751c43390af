"""The rows of closed kernels and of a posterior. By itself it puts them into RESULTS.md: results_kernels.py FOLDER"""

import sys
from pathlib import Path

from results_common import replace

BEGINNING, END = "## Closed kernels", "## Covariance SDE paths"


def section(native: list[dict], peers: list[dict], words: str = "") -> str:
    """Tables from the output of `fathom-bench kernels` and of `peers_finite_width.py kernels`."""
    lines = [
        f"{BEGINNING} and a posterior",
        *([words] if words else []),
        "",
        "Closed kernels of one hidden layer, all pairs of 1,000 inputs of 8 components, from the inputs; fathom in double",
        "precision, as its limits at infinite width find them. Times of the processor.",
        "",
        "| activation | what | peer | precision | its ms | fathom, ms | fathom is faster by |",
        "|---|---|---|---|---|---|---|",
    ]
    for peer in (p for p in peers if p["name"] == "kernel"):
        same = {k: peer[k] for k in ("name", "activation", "get")}
        ours = min(r["ms"] for r in native if all(r.get(k) == v for k, v in same.items()))
        lines.append(
            f"| {peer['activation']} | {peer['get']} | {peer['peer']} | {peer['precision']} | {peer['ms']:.2f} "
            f"| {ours:.2f} | {peer['ms'] / ours:.1f}x |"
        )
    lines += [
        "",
        "The posterior of jobs/finite-width-posterior.toml on one core, until the standard error of its mean is 1% of what it is",
        "off infinite width, a term of order 1/n; the run that reaches it, seconds of the processor, the fastest of the passes:",
        "",
        "| n | draws | 1% of the term | standard error | s |",
        "|---|---|---|---|---|",
    ]
    runs = [r for r in native if r["name"] == "posterior"]
    for width in dict.fromkeys(r["n"] for r in runs):
        run = min((r for r in runs if r["n"] == width), key=lambda r: r["seconds"])
        lines.append(f"| {width} | {run['draws']:,} | {run['term'] / 100:.2e} | {run['error']:.2e} | {run['seconds']:.2f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    replace(Path(sys.argv[1]), "kernels", section, BEGINNING, END)
