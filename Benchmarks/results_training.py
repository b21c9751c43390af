"""The rows of training. By itself it puts them into RESULTS.md: results_training.py FOLDER"""

import sys
from pathlib import Path

from results_common import replace

BEGINNING, END = "## Training", "## Networks ("
SHAPE = ("features", "layers", "width", "batch")
RUNS = {
    "ensemble": "1,000 networks 16-64-64-1, 64 examples, 100 steps",
    "R1": "`two-layer-linear`, 8-4096-1, 16 examples, 50 steps",
    "R3": "`xor-clusters`, 20,000-200-1, 200 examples, 30 steps",
}


def section(native: list[dict], peers: list[dict], words: str = "") -> str:
    """Tables from the output of `fathom-bench training` and of `peers_training.py`, the best of all passes."""

    def rates(rows: list[dict], names: tuple) -> dict:
        """By what is timed and by whom."""
        found: dict = {}
        for row in rows:
            if row["name"] in names and "per_second" in row:
                key = (row["name"], row["precision"], *(row.get(k) for k in SHAPE))
                by = found.setdefault(key, {})
                by[row.get("peer")] = max(by.get(row.get("peer"), 0), row["per_second"])
        return found

    lines = [
        BEGINNING,
        *([words] if words else []),
        "",
        "Steps a second of one ReLU network, full batch, gradient descent, on one core, by processor time; in brackets how many",
        "times as many fathom makes. vmap trains 32 networks at once; its steps are those of all of them.",
        "",
    ]
    ours, theirs = rates(native, ("training",)), rates(peers, ("training",))
    names = list(dict.fromkeys(peer for by in theirs.values() for peer in by))
    lines += [
        "| features-widths, batch | precision | fathom | " + " | ".join(names) + " |",
        "|---|---|---|" + len(names) * "---|",
    ]
    for key in sorted(ours, key=lambda key: key[1]):
        _, precision, features, layers, width, batch = key
        own, by = ours[key][None], theirs.get(key, {})
        cells = [f"{by[n]:.0f} ({own / by[n]:.2f})" if n in by else "" for n in names]
        shape = "-".join([str(features)] + layers * [str(width)])
        lines.append(f"| {shape}-1, {batch} | {precision} | {own:.0f} | " + " | ".join(cells) + " |")

    ours, theirs = rates(native, tuple(RUNS)), rates(peers, tuple(RUNS))
    lines += [
        "",
        "Whole runs a second, data and weights of their own, to the end of the job: fathom with its tallies, peers with every",
        "weight drawn and trained. `two-layer-linear` and `xor-clusters` are exact reductions.",
        "",
        "| runs | precision | fathom | fastest peer | ratio | other peers |",
        "|---|---|---|---|---|---|",
    ]
    for key, own in ours.items():
        (best, rate), *others = sorted(theirs.get(key, {"none": float("nan")}).items(), key=lambda item: -item[1])
        rest = ", ".join(f"{name} {x:.3g}" for name, x in others)
        lines.append(f"| {RUNS[key[0]]} | {key[1]} | {own[None]:.4g} | {best} {rate:.3g} | {own[None] / rate:.1f} | {rest} |")

    seconds = {r: [(row["user"] + row["system"]) / r for row in native if row["name"] == f"ensemble on {r}"] for r in (1, 2)}
    if all(seconds.values()):
        one, two = (min(seconds[r]) for r in (1, 2))
        lines += [
            "",
            f"2,000 of the networks 16-64-64-1, the program under mpirun: {one:.2f} processor seconds on one rank, {two:.2f}",
            f"on each of two ranks, which is {one / two:.2f} times as fast where each has a core of its own.",
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    replace(Path(sys.argv[1]), "training", section, BEGINNING, END)
