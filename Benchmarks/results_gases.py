"""The rows of gases. By itself it puts them into RESULTS.md: results_gases.py FOLDER"""

import sys
from pathlib import Path

from results_common import replace

BEGINNING, END = "## Gases", "## Closed kernels"
KINDS = {0.0: "Maxwell molecules", 1.0: "hard spheres"}


def section(native: list[dict], peers: list[dict], words: str = "") -> str:
    """Tables from the output of `fathom-bench gases` and of `peers_gases.py`."""
    lines = [BEGINNING, *([words] if words else []), ""]
    lines += ["Collisions a second, in 10^6, of two species by events, and in steps of one species, on one core.", ""]
    name = next(row["peer"] for row in peers if row["name"] == "events")
    other = next(row["peer"] for row in peers if row["name"] == "pairing")

    def fastest(rows: list[dict], key: str, **keys) -> float:
        return max((row[key] for row in rows if all(row.get(k) == v for k, v in keys.items())), default=float("nan"))

    lines += [f"| particles | molecules | events | steps | {name}, one bound for all |", "|---|---|---|---|---|"]
    rate = "collisions_per_second"
    for n, exponent in dict.fromkeys((row["particles"], row["exponent"]) for row in native if row["name"] == "events"):
        own = fastest(native, rate, name="events", particles=n, exponent=exponent)
        steps = fastest(native, rate, name="steps", particles=n, exponent=exponent)
        peer = fastest(peers, rate, name="events", particles=n, exponent=exponent)
        lines.append(
            f"| {n:,} | {KINDS[exponent]} | {own / 1e6:.3g} | {'' if steps != steps else f'{steps / 1e6:.3g}'} | "
            f"{peer / 1e6:.3g} ({own / peer:.2g}x) |"
        )
    lines += [
        "",
        "In brackets: by how much fathom's events are faster. SPARTA's own log of 7 July 2014 (10^6 argon atoms, one core)",
        "has 2.1e7 collisions in 7.0 s of colliding: 3 in these units.",
        "",
    ]
    lines += [
        f"Pairs a second of a random pairing, in 10^6: keyed, and a shuffle of {other}.",
        "",
        f"| particles | fathom | {other} |",
        "|---|---|---|",
    ]
    for n in dict.fromkeys(row["particles"] for row in native if row["name"] == "pairing"):
        own, peer = (fastest(rows, "pairs_per_second", name="pairing", particles=n) for rows in (native, peers))
        lines.append(f"| {n:,} | {own / 1e6:.3g} | {peer / 1e6:.3g} ({own / peer:.2g}x) |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    replace(Path(sys.argv[1]), "gases", section, BEGINNING, END)
