"""The rows of chemotaxis. By itself it puts them into RESULTS.md: results_chemotaxis.py FOLDER"""

import sys
from pathlib import Path

from results_common import replace

BEGINNING, END = "## Chemotaxis", "## Closed kernels"


def section(native: list[dict], peers: list[dict], words: str = "") -> str:
    """Tables from the output of `fathom-bench chemotaxis` and of `peers_chemotaxis.py`."""

    def fastest(rows: list[dict], **keys) -> float:
        return min(row["seconds"] for row in rows if all(row.get(key) == value for key, value in keys.items()))

    names = list(dict.fromkeys(row["peer"] for row in peers))
    lines = [BEGINNING, *([words] if words else []), ""]
    lines += ["A step of 100,000 particles in a box with two signals, in ms.", ""]
    lines += [f"| dimension | modes | fathom | {' | '.join(names)} |", "|---|---|---|" + "---|" * len(names)]
    for dimension, modes in dict.fromkeys((row["dimension"], row["modes"]) for row in native if "dimension" in row):
        own = fastest(native, dimension=dimension, modes=modes)
        cells = [fastest(peers, dimension=dimension, modes=modes, peer=name) for name in names]
        texts = [f"{1e3 * cell:.3g} ({cell / own:.2g}x)" for cell in cells]
        lines.append(f"| {dimension} | {modes} | {1e3 * own:.3g} | " + " | ".join(texts) + " |")
    lines += ["", "A step of N particles of the plane, all pairs, in microseconds; NumPy makes many systems at once.", ""]
    lines += [f"| N | fathom | {' | '.join(names)} |", "|---|---|" + "---|" * len(names)]
    for number in dict.fromkeys(row["number"] for row in native if row["name"] == "chemotaxis plane"):
        own = fastest(native, name="chemotaxis plane", number=number)
        cells = [fastest(peers, name="chemotaxis plane", number=number, peer=name) for name in names]
        texts = [f"{1e6 * cell:.3g} ({cell / own:.2g}x)" for cell in cells]
        lines.append(f"| {number} | {1e6 * own:.3g} | " + " | ".join(texts) + " |")
    lines += ["", "In brackets: by how much fathom is faster."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    replace(Path(sys.argv[1]), "chemotaxis", section, BEGINNING, END)
