"""The rows of self-repellent walks. By itself it puts them into RESULTS.md: results_walks.py FOLDER"""

import sys
from pathlib import Path

from results_common import replace

BEGINNING, END = "## Self-repellent walks", "## Closed kernels"


def section(native: list[dict], peers: list[dict], words: str = "") -> str:
    """Tables from the output of `fathom-bench walks` and of `peers_walks.py`."""
    lines = [BEGINNING, *([words] if words else []), ""]
    lines += ["Steps a second, in 10^6, on random graphs of ten neighbours each.", ""]
    names = list(dict.fromkeys(row["peer"] for row in peers))
    lines += [f"| vertices | alpha | fathom | {' | '.join(names)} |", "|---|---|---|" + "---|" * len(names)]

    def fastest(rows: list[dict], **keys) -> float:
        return max(row["steps_per_second"] for row in rows if all(row[key] == value for key, value in keys.items()))

    for n, alpha in dict.fromkeys((row["vertices"], row["alpha"]) for row in native):
        own = fastest(native, vertices=n, alpha=alpha)
        cells = [fastest(peers, vertices=n, alpha=alpha, peer=name) for name in names]
        texts = [f"{cell / 1e6:.3g} ({own / cell:.2g}x)" for cell in cells]
        lines.append(f"| {n:,} | {alpha:g} | {own / 1e6:.1f} | " + " | ".join(texts) + " |")
    lines += [
        "",
        "In brackets: by how much fathom is faster. Its law of a step is made of integers,",
        "that of its peers of floating-point sums.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    replace(Path(sys.argv[1]), "walks", section, BEGINNING, END)
