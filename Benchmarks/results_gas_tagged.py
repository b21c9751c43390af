"""The rows of tagged particles. By itself it puts them into RESULTS.md: results_gas_tagged.py FOLDER"""

import sys
from pathlib import Path

from results_common import replace

BEGINNING, END = "## Tagged particles", "## Closed kernels"
FLOWS = {"shear": "shear, K = 1", "none": "at rest", "far": "shear, to t = 1e16"}


def section(native: list[dict], peers: list[dict], words: str = "") -> str:
    """A table from the output of `fathom-bench tagged-particle` and of `peers_gas_tagged.py`."""
    names = list(dict.fromkeys(row["peer"] for row in peers))
    lines = [BEGINNING, *([words] if words else []), ""]
    lines += ["Collisions a second, in 10^6, and of the last row paths a second, in 10^3, on one core.", ""]
    lines += [f"| gamma | flow | fathom | {' | '.join(names)} |", "|---|---|---|" + "---|" * len(names)]

    def fastest(rows: list[dict], key: str, **keys) -> float:
        return max(row[key] for row in rows if all(row[name] == value for name, value in keys.items()))

    for gamma, flow in dict.fromkeys((row["gamma"], row["flow"]) for row in native):
        key, unit = ("paths_per_second", 1e3) if flow == "far" else ("collisions_per_second", 1e6)
        own = fastest(native, key, gamma=gamma, flow=flow)
        cells = [fastest(peers, key, gamma=gamma, flow=flow, peer=name) for name in names]
        texts = [f"{cell / unit:.3g} ({own / cell:.2g}x)" for cell in cells]
        lines.append(f"| {gamma:g} | {FLOWS[flow]} | {own / unit:.3g} | " + " | ".join(texts) + " |")
    lines += ["", "In brackets: by how much fathom is faster. The peer is the same law, all paths at once in arrays."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    replace(Path(sys.argv[1]), "gas_tagged", section, BEGINNING, END)
