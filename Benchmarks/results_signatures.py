"""The rows of signature kernels and Gram matrices. By itself it puts them into RESULTS.md: results_signatures.py FOLDER"""

import sys
from pathlib import Path

from results_common import replace

BEGINNING, END = "## Signature kernels", "## Covariance SDE paths"
WHAT = {
    "signature-cells": ("cells of the differential equation a second, a million cells, d = 3", "per_s"),
    "signature-gram": ("128 paths of 100 points with themselves, no refinement of the grid, ms", "ms"),
    "ntk-gram": ("tangent kernel of points with 64 features, three hidden ReLU layers, ns an entry that is made", "ns_an_entry"),
    "nngp-digits": (
        "whole covariance of 10,000 digits (1,797, over and over with noise), three hidden ReLU layers, s",
        "seconds",
    ),
    "ntk-digits": ("whole tangent kernel of the same, s", "seconds"),
}


def section(native: list[dict], peers: list[dict], words: str = "") -> str:
    """A table from the output of `fathom-bench signatures` and of `peers_signatures.py`."""
    lines = [
        f"{BEGINNING} and Gram matrices",
        *([words] if words else []),
        "",
        "One core, double precision. Of a Gram matrix fathom makes one triangle, mirrored where the whole is asked for; "
        "its signatures solve two grids and extrapolate.",
        "",
        "| what | activation | fathom | peer | its value | fathom is faster by |",
        "|---|---|---|---|---|---|",
    ]
    for name, (what, key) in WHAT.items():
        for activation in dict.fromkeys(r.get("activation") for r in native if r["name"] == name):
            values = [r[key] for r in native if r["name"] == name and r.get("activation") == activation]
            ours = max(values) if key == "per_s" else min(values)
            theirs = [p for p in peers if p["name"] == name and activation in (None, "linear")]
            peer, value, ratio = "", "", ""
            if theirs:
                best = max(p[key] for p in theirs) if key == "per_s" else min(p[key] for p in theirs)
                peer, value = theirs[0]["peer"], f"{best:.3g}"
                ratio = f"{(ours / best if key == 'per_s' else best / ours):.1f}x"
            lines.append(f"| {what} | {activation or ''} | {ours:.3g} | {peer} | {value} | {ratio} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    replace(Path(sys.argv[1]), "signatures", section, BEGINNING, END)
