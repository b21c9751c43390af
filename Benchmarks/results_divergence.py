"""The rows of divergences. By itself it puts them into RESULTS.md: results_divergence.py FOLDER"""

import sys
from pathlib import Path

from results_common import replace

BEGINNING, END = "## Divergences", "## Covariance SDE paths"


def section(native: list[dict], peers: list[dict], words: str = "") -> str:
    """A table from the output of `fathom-bench divergence` and of `peers_divergence.py`."""
    lines = [
        f"{BEGINNING} by quadrature",
        *([words] if words else []),
        "",
        "A step of the law of LMC, U = (1 + x^2)^(1/2), h = 0.1, on a uniform grid on [-40, 40]; the same grid for all,",
        "KL after 100 steps from N(3, 1/4). The matrix is made beforehand.",
        "",
        "| points | peer | its ms | fathom, ms | fathom is faster by | KL: peer, fathom |",
        "|---|---|---|---|---|---|",
    ]
    best: dict = {}
    for peer in sorted((p for p in peers if p["name"] == "grid"), key=lambda p: p["ms"]):
        best.setdefault((-peer["points"], peer["peer"]), peer)
    for _, peer in sorted(best.items()):
        own = min((r for r in native if r["name"] == "grid" and r["points"] == peer["points"]), key=lambda r: r["ms"])
        times = f"{peer['ms']:.3f} | {own['ms']:.3f} | {peer['ms'] / own['ms']:.1f}x"
        lines.append(f"| {peer['points']} | {peer['peer']} | {times} | {peer['kl']:.12g}, {own['kl']:.12g} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    replace(Path(sys.argv[1]), "divergence", section, BEGINNING, END)
