"""Calibration of the verdicts: runs fathom-calibrate, draws its table, writes docs/calibration.md.

    python analysis/calibration.py [SEEDS]       (make calibrate; what is done is kept in .build/calibration and not run again)

The numbers are those of .build/calibration/summary.tsv; what they mean is judged by the program.
"""

# ruff: noqa: E501 (texts)
import csv
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fathom import plots
from fathom.report import STYLE

ROOT = Path(__file__).parents[1]
PROGRAM = ROOT / ".build/release/fathom-calibrate"
FOLDER = ROOT / ".build/calibration"
WRONG = "NOT calibrated"

Row = dict[str, str]


def wilson(count: int, trials: int, z: float = 1.96) -> tuple[float, float]:
    """The 95% interval of a probability (Wilson, J. Am. Stat. Assoc. 22 (1927) 209)."""
    p = count / trials
    centre = (p + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * np.sqrt(p * (1 - p) / trials + z * z / (4 * trials**2))
    return max(centre - half, 0.0), min(centre + half, 1.0)


def points(ax: Axes, rows: list[Row], count: str, finding: str, band: tuple[str, str]) -> None:
    """Shares with their intervals, a line a kind, on the range that is allowed."""
    for y, row in enumerate(rows):
        seeds, counted = int(row["promising" if count == "detected" else "seeds"]), int(row[count])
        low, high = wilson(counted, seeds)
        ax.fill_betweenx([y - 0.32, y + 0.32], int(row[band[0]]) / seeds, int(row[band[1]]) / seeds, color=plots.RULE, alpha=0.6, lw=0)
        colour = plots.COLOURS[1] if row[finding] == WRONG else plots.COLOURS[0]
        ax.plot([low, high], [y, y], color=colour, lw=1.2)
        ax.plot(counted / seeds, y, "o", ms=4, color=colour, clip_on=False)
    ax.set_yticks(range(len(rows)), [row["kind"] for row in rows])


def draw(rows: list[Row]) -> Figure:
    figure = Figure(figsize=(9.6, 0.6 + 0.31 * len(rows)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    points(left, rows, "alarms", "alarms_finding", ("alarms_from", "alarms_to"))
    points(right, rows, "detected", "detected_finding", ("detected_from", "detected_to"))
    for y, row in enumerate(rows):
        left.plot([float(row["alpha"])] * 2, [y - 0.32, y + 0.32], color="black", lw=1)
        right.plot([float(row["power"])] * 2, [y - 0.32, y + 0.32], color="black", lw=1)
    left.set(xlabel="share of seeds with a false alarm (stroke: alpha)", xlim=(0, None), ylim=(len(rows) - 0.5, -0.5))
    right.set(xlabel="share of seeds that detect it (stroke: printed power)", xlim=(0.4, 1))
    return figure


def table(rows: list[Row]) -> list[str]:
    lines = [
        "| kind | alpha | false alarms | allowed | | printed power | detected | expected | |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        seeds = int(row["seeds"])
        lines.append(
            f"| {row['kind']} | {float(row['alpha']):g} | {row['alarms']} of {seeds} | {row['alarms_from']} to {row['alarms_to']} | {row['alarms_finding']} "
            f"| {float(row['power']):.3f} | {row['detected']} of {row['promising']} ({int(row['detected']) / int(row['promising']):.3f}) | {row['detected_from']} to {row['detected_to']} | {row['detected_finding']} |"
        )
    return lines


def page(rows: list[Row]) -> str:
    seeds = rows[0]["seeds"]
    command = "make calibrate" if seeds == "300" else f"make calibrate SEEDS={seeds}"
    wrong = [row["kind"] for row in rows if WRONG in (row["alarms_finding"], row["detected_finding"])]
    careful = [row["kind"] for row in rows if row["alarms_finding"] == "conservative"]
    strong = [row["kind"] for row in rows if row["detected_finding"] == "conservative"]
    said = [f"**Not calibrated: {', '.join(wrong)}.**" if wrong else f"All {len(rows)} kinds hold what they promise."]
    if careful:
        said.append(f"Fewer false alarms than alpha allows: {', '.join(careful)}.")
    if strong:
        said.append(f"More power than printed: {', '.join(strong)}.")
    text = f"""# Calibration of the verdicts

Written by `{command}` (analysis/calibration.py, Tests/Calibration). Every kind of [verdict](verdicts.md) is given a statement that is true and one that is false, with {seeds} seeds each. Each
run is a whole job, from its TOML text through the engine to the word that users see. {" ".join(said)}

![Shares of false alarms and of detections with their intervals, kind by kind](calibration.png)

Points: shares of the seeds, with 95% intervals (Wilson). Grey: what is allowed. Strokes: alpha, and the mean of the powers that the runs print.

{chr(10).join(table(rows))}

*False alarms*: seeds whose word contradicts the true statement, `differs` where there is no difference. Of an equivalence and of a health report the true statement is the one that is hardest to
judge: the difference is just the tolerance, the share just the threshold. Either word is then wrong, and alpha is for both together.

*Printed power*: the probability to detect the effect of the false statement, by the numbers that stand beside the word: half-width of the interval (`margin`), `smallest_effect` and `tolerance`; of a
bias and a certificate the standard error with the critical value; of a health report the interval. It is worked out for every seed; the mean is compared with the share of the seeds that say `differs`.
A seed that promises nothing of such an effect is not counted: where the row is not tested (too heavy tails), and of an extrapolation where `detectable` is larger; the others of an extrapolation promise 0.9.

*Allowed, expected*: binomial ranges. The probability that one of these {2 * len(rows)} counts of a calibrated program leaves its range is at most 0.001. More false alarms, or fewer detections, are *{WRONG}*, and
end the command with an error. Fewer false alarms, or more detections, are *conservative*.

## The statements

| kind | true and false |
|---|---|
"""
    return text + "".join(f"| {row['kind']} | {row['summary']} |\n" for row in rows) + "\n" + REMARKS


REMARKS = """A reference that is right is that of the catalog, or the exact law; a false one is moved by a known amount, or the finite system starts elsewhere or takes other steps. Effects are chosen so that the printed
power is between 0.5 and 0.95.

- Tests that are made together share alpha as if they were independent (Bonferroni): the moments of *exact*, which are correlated, may have fewer false alarms.
- The distance of two samples is given a band that holds for any law, half of alpha for each sample, so *KS (two samples)* has hardly any. The power printed beside a distance is that of the worst law, two points, which
  *KS (two samples)* has; of smooth laws (*KS*) it is a lower bound.
- The error of an extrapolation covers what the sizes leave open, the next power and the order itself, so it is larger than the scatter of the limit. `detectable` is a bound: offsets below it are
  found less often than a normal law with this error would have it.

A reduced calibration runs with the tests (`CalibrationTests`).
"""


def main() -> None:
    seeds = sys.argv[1] if len(sys.argv) > 1 else "300"
    status = subprocess.run([PROGRAM, seeds, FOLDER]).returncode
    if status not in (0, 1):
        sys.exit(f"calibration: {PROGRAM.name} ended with status {status}")
    with open(FOLDER / "summary.tsv", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    with matplotlib.rc_context(STYLE | {"text.color": "black"}):
        draw(rows).savefig(ROOT / "docs/calibration.png", dpi=130)
    (ROOT / "docs/calibration.md").write_text(page(rows))
    print("wrote docs/calibration.md")
    sys.exit(status)


if __name__ == "__main__":
    main()
