"""The rows of dense factors and regression. By itself it puts them into RESULTS.md: results_regression.py FOLDER"""

import sys
from pathlib import Path

from results_common import replace

BEGINNING, END = "## Dense factors and regression", "## Networks ("


def section(native: list[dict], peers: list[dict], words: str = "") -> str:
    """Tables from the output of `fathom-bench regression` and of `peers_regression.py`."""

    def best(rows: list[dict], value: str, **keys) -> dict[str, float]:
        found: dict[str, float] = {}
        for row in rows:
            if all(row.get(k) == v for k, v in keys.items()):
                peer = row.get("peer", "fathom")
                found[peer] = max(row[value], found.get(peer, 0))
        return found

    peers = [row for row in peers if row["name"] in ("cholesky", "regression")]
    names = list(dict.fromkeys(row["peer"] for row in peers))
    solvers = [name for name in names if best(peers, "gflops", name="cholesky").get(name)]
    lines = [
        BEGINNING,
        *([words] if words else []),
        "",
        "Cholesky factors of n x n, GFLOP/s of n^3/3, by times of the processor; the peer is LAPACK in NumPy's OpenBLAS.",
        "",
        "| n | fathom | " + " | ".join(solvers) + " |",
        "|---" * (2 + len(solvers)) + "|",
    ]
    for n in dict.fromkeys(row["n"] for row in native if row["name"] == "cholesky"):
        theirs = best(peers, "gflops", name="cholesky", n=n)
        cells = [f"{best(native, 'gflops', name='cholesky', n=n)['fathom']:.1f}"] + [f"{theirs[name]:.1f}" for name in solvers]
        lines.append(f"| {n} | " + " | ".join(cells) + " |")
    for row in native:
        if row["name"] == "eigenvalues":
            lines += ["", f"Eigenvalues of {row['n']} x {row['n']} with the coefficients of a vector: {row['s']:.2f} s."]
    lines += [
        "",
        "Draws a second of random-feature ridge regression, n = 100 examples, 500 modes, one ridge. The peers make the plain",
        "draw, with every mode and feature.",
        "",
        "| k | fathom | " + " | ".join(names) + " |",
        "|---" * (2 + len(names)) + "|",
    ]
    for k in dict.fromkeys(row["k"] for row in native if row["name"] == "regression"):
        ours, theirs = (best(rows, "draws_per_second", name="regression", k=k) for rows in (native, peers))
        cells = [f"{ours['fathom']:,.0f}"] + [
            f"{theirs[n]:,.0f} ({ours['fathom'] / theirs[n]:.0f}x)" if n in theirs else "" for n in names
        ]
        lines.append(f"| {k} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    replace(Path(sys.argv[1]), "regression", section, BEGINNING, END)
