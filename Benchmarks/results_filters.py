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
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    replace(Path(sys.argv[1]), "filters", section, BEGINNING, END)
