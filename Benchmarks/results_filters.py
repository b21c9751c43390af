"""The rows of particle filters. By itself it puts them into RESULTS.md: results_filters.py FOLDER"""

import sys
from pathlib import Path

from results_common import pick, replace

BEGINNING, END = "## Particle filters", "## Diffusions with exact scores"


def section(native: list[dict], peers: list[dict], words: str = "") -> str:
    """A table from the output of `fathom-bench filters` and of `peers_filters.py`."""
    lines = [
        BEGINNING,
        *([words] if words else []),
        "",
        "Seconds of a bootstrap filter of 10,000 particles over 1,000 observations of a linear Gaussian model, selected at every",
        "step, double precision.",
        "",
        "| selection | program | seconds | fathom is faster by |",
        "|---|---|---|---|",
    ]
    for scheme in ("systematic", "multinomial"):
        mine = pick(native, "seconds", name="filter", scheme=scheme)
        lines.append(f"| {scheme} | fathom | {mine:.3f} | |")
        theirs = [row for row in peers if row["name"] == "filter" and row["scheme"] == scheme]
        for peer in dict.fromkeys(row["peer"] for row in theirs):
            seconds = pick(theirs, "seconds", peer=peer)
            lines.append(f"| {scheme} | {peer} | {seconds:.3f} | {seconds / mine:.1f}x |")
    own = [row for row in native if row["name"] == "smoother"]
    mine = pick(own, "seconds")
    # The longest of the runs of fathom has the least error of the variance.
    variance = min(own, key=lambda row: row["variance_error"])["variance"]
    lines += [
        "",
        "Smoothers: the sum of $x_{t-1} x_t$ given 50 observations, 100 particles, multinomial selection, two backward",
        "draws; ms of a run, the variance of the estimate over runs, and how many times as long a peer takes to the same.",
        "",
        "| method | program | ms of a run | variance | fathom is faster by |",
        "|---|---|---|---|---|",
        f"| PaRIS | fathom | {1e3 * mine:.3g} | {variance:.3g} | |",
    ]
    names = {"paris": "PaRIS", "online_smooth_ON2": "forward only, N^2", "online_smooth_naive": "paths of ancestors"}
    smoothers = [row for row in peers if row["name"] == "smoother"]
    for method in dict.fromkeys(row["method"] for row in smoothers):
        row = min((row for row in smoothers if row["method"] == method), key=lambda row: row["seconds"])
        factor = row["seconds"] * row["variance"] / (mine * variance)
        words = f"{row['variance']:.3g} ± {row['variance_error']:.1g}"
        lines.append(f"| {names[row['method']]} | {row['peer']} | {1e3 * row['seconds']:.3g} | {words} | {factor:.0f}x |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    replace(Path(sys.argv[1]), "filters", section, BEGINNING, END)
