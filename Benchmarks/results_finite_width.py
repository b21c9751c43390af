"""The rows of networks of finite width. By itself it puts them into RESULTS.md: results_finite_width.py FOLDER"""

import sys
from pathlib import Path

from results_common import pick, replace

BEGINNING, END = "## Networks of finite width", "## Closed kernels"


def row(peer: dict, ours: float, what: str) -> str:
    how = f"{peer['implementation']}, batch {peer['batch']}"
    return f"| {what} | {peer['peer']} | {how} | {peer['precision']} | {peer['us']:,.0f} | {peer['us'] / ours:,.0f}x |"


def section(native: list[dict], peers: list[dict], words: str = "") -> str:
    """Tables from the output of `fathom-bench finite-width` and of `peers_finite_width.py`."""
    lines = [
        BEGINNING,
        *([words] if words else []),
        "",
        "fathom (double precision, with its tallies) by its exact reduced laws; the peers draw every weight, jitted and vmapped,",
        "each in the fastest batch and implementation of those in `peers_finite_width.py`; neural-tangents as it comes besides.",
        "fathom's are times of the wall, the peers' of the processor, which on one core are not longer.",
        "",
        "| fathom | activation | law | µs a draw | draws a second |",
        "|---|---|---|---|---|",
    ]
    titles = {
        "ntk": "tangent kernel, n = 80, L = 3, two inputs",
        "dntk": "change of the tangent kernel, n = 256, L = 4, two inputs",
        "pre-ln-transformer": "pre-LN Transformer, H = 4, n = 256, m = 3, 4 blocks",
    }
    keys = {(r["name"], r["activation"], r["label"]): None for r in native if r["name"] in titles}
    for name, activation, label in keys:
        us = pick(native, "us", name=name, activation=activation, label=label)
        lines.append(f"| {titles[name]} | {activation} | {label} | {us:,.2f} | {1e6 / us:,.0f} |")
    lines += ["", "| against | peer | how | precision | its µs a draw | fathom is faster by |", "|---|---|---|---|---|---|"]
    for peer in peers:
        if peer["name"] in titles:
            same = {"name": peer["name"], "activation": peer["activation"]}
            if any(all(r.get(k) == v for k, v in same.items()) for r in native):
                lines.append(row(peer, pick(native, "us", **same), f"{titles[peer['name']]}, {peer['activation']}"))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    replace(Path(sys.argv[1]), "finite-width", section, BEGINNING, END)
