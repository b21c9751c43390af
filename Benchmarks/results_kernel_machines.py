"""The rows of deep kernel machines. By itself it puts them into RESULTS.md: results_kernel_machines.py FOLDER"""

import sys
from pathlib import Path

from results_common import replace

BEGINNING, END = "## Deep kernel machines", "## Closed kernels"


def section(native: list[dict], peers: list[dict], words: str = "") -> str:
    """A table from the output of `fathom-bench kernel-machines` and of `peers_kernel_machines.py`."""

    def fastest(rows: list[dict], kernel: str, sampler: str) -> dict | None:
        found = [row for row in rows if row["name"] == "kernel-machine" and (row["kernel"], row["sampler"]) == (kernel, sampler)]
        return max(found, key=lambda row: row["steps_per_second"], default=None)

    lines = [BEGINNING, *([words] if words else []), ""]
    lines += [
        "Steps of one chain a second, in 10^6, over the posterior of three points and two layers (12 coordinates). A step of",
        "`metropolis` is a proposal, one of `hmc` a trajectory of 6 gradients on average.",
        "",
        "| kernel | sampler | fathom | peer | its rate | fathom is faster by |",
        "|---|---|---|---|---|---|",
    ]
    for kernel in ("linear", "relu"):
        for sampler in ("metropolis", "hmc"):
            own, other = fastest(native, kernel, sampler), fastest(peers, kernel, sampler)
            if own is None:
                continue
            rate = own["steps_per_second"]
            rest = "| | | |"
            if other is not None:
                its = other["steps_per_second"]
                rest = f"| {other['peer']} | {its / 1e6:.3f} | {rate / its:.1f}x |"
            lines.append(f"| {kernel} | {sampler} | {rate / 1e6:.2f} {rest}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    replace(Path(sys.argv[1]), "kernel-machines", section, BEGINNING, END)
