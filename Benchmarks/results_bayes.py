"""The rows of Bayesian networks. By itself it puts them into RESULTS.md: results_bayes.py FOLDER"""

import sys
from pathlib import Path

from results_common import pick, replace

BEGINNING, END = "## Bayesian networks", "## Closed kernels"
LEAPS = 30


def section(native: list[dict], peers: list[dict], words: str = "") -> str:
    """Tables from the output of `fathom-bench bayes` and of `peers_bayes.py`."""
    lines = [BEGINNING, *([words] if words else []), ""]
    lines += [
        "The posterior of jobs/bnn-posterior.toml, one hidden layer of N erf units and four targets, on one core: gradients in",
        "all weights a second, and effective samples of f(2) a second. Hamiltonian Monte Carlo with the same step and 30",
        "leapfrog steps on both sides, without adaptation; effective samples a trajectory are taken from the peer's 16",
        "chains for both. NUTS as the peer adapts it, warm-up not counted.",
        "",
        "| N | sampler | | gradients/s | effective samples/s | fathom is faster by |",
        "|---|---|---|---|---|---|",
    ]
    for width in dict.fromkeys(row["width"] for row in native if row["name"] == "bayes-hmc"):
        trajectory = pick(native, "trajectory", name="bayes-hmc", width=width)
        theirs = [row for row in peers if row["name"] == "bayes-hmc" and row["width"] == width]
        same = min((row for row in theirs if row["sampler"] == "hmc"), key=lambda row: row["seconds"])
        own = same["effective"] / same["trajectories"] / trajectory
        lines.append(f"| {width} | hmc | fathom | {LEAPS / trajectory:,.0f} | {own:,.0f} | |")
        for sampler in ("hmc", "nuts"):
            row = min((row for row in theirs if row["sampler"] == sampler), key=lambda row: row["seconds"])
            samples = row["effective"] / row["seconds"]
            rate = row["gradients"] / row["seconds"]
            lines.append(f"| {width} | {sampler} | {row['peer']} | {rate:,.0f} | {samples:,.0f} | {own / samples:,.1f}x |")
        alone = max(row["gradients_per_second"] for row in native if row["name"] == "bayes-hmc" and row["width"] == width)
        lines.append(f"| {width} | the gradient alone | fathom | {alone:,.0f} | | |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    replace(Path(sys.argv[1]), "bayes", section, BEGINNING, END)
