"""The rows of training. By itself it puts them into RESULTS.md: results_training.py FOLDER"""

import os
import sys
from pathlib import Path

from results_common import flags, processor, read

BEGINNING, END = "## Training", "## Networks ("
KEYS = ("features", "layers", "width", "batch")


def section(native: list[dict], peers: list[dict], words: str = "") -> str:
    """A table from the output of `fathom-bench training` and of `peers_training.py`, the best of all passes."""

    def rates(rows: list[dict]) -> dict:
        found: dict = {}
        for row in rows:
            if row["name"] == "training":
                key = (row.get("peer"), tuple(row[k] for k in KEYS))
                found[key] = max(found.get(key, 0), row["steps_per_second"])
        return found

    ours, theirs = rates(native), rates(peers)
    names = list(dict.fromkeys(peer for peer, _ in theirs))
    lines = [
        BEGINNING,
        *([words] if words else []),
        "",
        "Steps a second of one ReLU network in double precision, full batch, gradient descent, on one core; in brackets how many",
        "times as many fathom makes. vmap trains 32 networks at once; its steps are those of all of them.",
        "",
        "| features-widths, batch | fathom | " + " | ".join(names) + " |",
        "|---|---|" + len(names) * "---|",
    ]
    for _, key in ours:
        features, layers, width, batch = key
        own = ours[(None, key)]
        cells = [f"{theirs[(n, key)]:.0f} ({own / theirs[(n, key)]:.2f})" if (n, key) in theirs else "" for n in names]
        shape = "-".join([str(features)] + layers * [str(width)])
        lines.append(f"| {shape}-1, {batch} | {own:.0f} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    path = Path(__file__).parent / "RESULTS.md"
    text = path.read_text()
    where = f"on {processor()} ({flags()}), at a load of {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    words = f"\nThese rows by `Benchmarks/run.sh training`, each the best of the passes, {where}."
    folder = Path(sys.argv[1])
    rows = section(read(folder / "native.json"), read(folder / "peers.json"), words)
    start = text.index(BEGINNING) if BEGINNING in text else text.index(END)
    rest = text[start:] if BEGINNING not in text else text[text.index("\n## ", start + 1) + 1 :]
    path.write_text(text[:start] + rows + "\n" + rest)
