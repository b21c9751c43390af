"""The rows of semidefinite programs. By itself it puts them into RESULTS.md: results_semidefinite.py FOLDER"""

import sys
from pathlib import Path

from results_common import replace

BEGINNING, END = "## Max-Cut with a bound", "## Closed kernels"


def values(row: dict) -> str:
    return f"{row['value']:.4f} | {row['bound']:.4f}"


def section(native: list[dict], peers: list[dict], words: str = "") -> str:
    """A table from the output of `fathom-bench semidefinite` and of `peers_semidefinite.py`."""
    lines = [
        BEGINNING,
        *([words] if words else []),
        "",
        "Seconds of the processor, from random vectors to a value and a bound that are 1e-5 apart, relative to it; rank 20.",
        "fathom proves its bound, and tries to after 100, 200, 400, ... sweeps. pymanopt stops at the weakest norm of its",
        "gradient, of powers of ten, at which the bound by NumPy's smallest eigenvalue, a number and no proof, is as close. SCS",
        "solves the program as it stands, and calls a dual value a bound that may lie on the wrong side.",
        "",
        "| graph | program | how | value | bound | seconds | of these the bound | fathom is faster by |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(row["graph"] for row in native):
        ours = min((row for row in native if row["graph"] == name), key=lambda row: row["seconds"])
        how, seconds = f"mixing, {ours['sweeps']} sweeps", f"{ours['seconds']:.4f} | {ours['proof']:.4f}"
        lines.append(f"| {name} | fathom | {how} | {values(ours)} | {seconds} | |")
        mine = [row for row in peers if row["graph"] == name]
        for peer, how in dict.fromkeys((row["peer"], row["how"]) for row in mine):
            row = min((row for row in mine if (row["peer"], row["how"]) == (peer, how)), key=lambda row: row["seconds"])
            seconds = f"{row['seconds']:.2f} | {row['seconds'] - row['solve']:.2f}"
            faster = f"{row['seconds'] / ours['seconds']:,.0f}x"
            lines.append(f"| {name} | {peer} | {how} | {values(row)} | {seconds} | {faster} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    replace(Path(sys.argv[1]), "semidefinite", section, BEGINNING, END)
