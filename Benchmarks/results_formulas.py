"""The rows of activations by formula. By itself it puts them into RESULTS.md: results_formulas.py FOLDER"""

import sys
from pathlib import Path

from results_common import replace

BEGINNING, END = "## Activations by formula", "## Products of matrices"


def quietest(rows: list[dict], first: str, second: str, *keys: str) -> list[dict]:
    """Of rows of one kind those of the fastest pass: both sides of a ratio were timed in it, in turns."""
    best: dict[tuple, dict] = {}
    for row in rows:
        key = tuple(row[k] for k in keys)
        if key not in best or row[first] + row[second] < best[key][first] + best[key][second]:
            best[key] = row
    return list(best.values())


def section(native: list[dict], peers: list[dict], words: str = "") -> str:
    """Both tables, from the output of `fathom-bench formulas`, each row from its fastest pass; there are no peers."""
    lines = [
        f"{BEGINNING}, 4096 doubles in place",
        *([words] if words else []),
        "",
        "| activation | | built in, ns a value | by formula, ns a value | ratio |",
        "|---|---|---|---|---|",
    ]
    for row in quietest([r for r in native if r["name"] == "formula"], "built_in_ns", "ns", "function", "what"):
        ratio = row["ns"] / row["built_in_ns"]
        lines.append(f"| {row['function']} | {row['what']} | {row['built_in_ns']:.2f} | {row['ns']:.2f} | {ratio:.2f} |")
    lines += [
        "",
        "Whole draws of `mlp` with their tallies, m = 2, `activation = { formula = … }` against the name, in turns:",
        "",
        "| activation | n = d | built in, ms a draw | by formula, ms a draw | ratio |",
        "|---|---|---|---|---|",
    ]
    for row in quietest([r for r in native if r["name"] == "formula-draw"], "built_in_ms", "ms", "function", "n"):
        ratio = row["ms"] / row["built_in_ms"]
        lines.append(f"| {row['function']} | {row['n']} | {row['built_in_ms']:.3f} | {row['ms']:.3f} | {ratio:.2f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    replace(Path(sys.argv[1]), "formulas", section, BEGINNING, END)
