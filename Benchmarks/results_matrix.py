"""The rows of products of matrices. By itself it puts them into RESULTS.md: results_matrix.py FOLDER"""

import sys
from pathlib import Path

from results_common import replace

BEGINNING, END = "## Products of matrices", "## Networks ("
KINDS = {"plain": "A B", "transposed": "A^T B", "scaled": "C + s A^T B"}


def section(native: list[dict], peers: list[dict], words: str = "") -> str:
    """A table from the output of `fathom-bench matrix` and of `peers_matrix.py`, the best of all passes."""
    lines = [
        BEGINNING,
        *([words] if words else []),
        "",
        "GFLOP/s by times of the processor; in brackets the share of what the vector units gave in chains of multiply-adds, in",
        "turns. The peer is NumPy with OpenBLAS.",
        "",
        "| | C | terms | double | NumPy | float | NumPy |",
        "|---|---|---|---|---|---|---|",
    ]

    def rates(rows: list[dict], number: str, key: tuple) -> list[dict]:
        keys = ("kind", "rows", "columns", "inner")
        return [r for r in rows if r["name"] == "matrix" and r["number"] == number and tuple(r[k] for k in keys) == key]

    shapes = dict.fromkeys((r["kind"], r["rows"], r["columns"], r["inner"]) for r in native if r["name"] == "matrix")
    for key in shapes:
        cells = []
        for number in ("double", "float"):
            ours, theirs = rates(native, number, key), rates(peers, number, key)
            rate, share = (max(r[k] for r in ours) for k in ("gflops", "of_peak"))
            cells.append(f"{rate:.1f} ({share:.2f})")
            cells.append(f"{max(r['gflops'] for r in theirs):.1f}" if theirs else "")
        lines.append(f"| {KINDS[key[0]]} | {key[1]} x {key[2]} | {key[3]} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    replace(Path(sys.argv[1]), "matrix", section, BEGINNING, END)
