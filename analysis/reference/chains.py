"""Writes Tests/StatisticsTests/ArviZ/chains.csv: R-hat, effective samples and Monte Carlo errors of the forty sets of chains of
Tests/StatisticsTests/ChainKinds.swift, as ArviZ computes them.

    FATHOM_CHAINS=/tmp/chains.csv swift test --filter ChainsTests.write      (writes the values, exact to the last digit)
    python3 analysis/reference/chains.py /tmp/chains.csv                      (needs arviz)

Only run on purpose: the tests hold the program to the committed values.
"""

import sys
import warnings
from pathlib import Path

import arviz
import numpy as np

warnings.simplefilter("ignore")
TARGET = Path(__file__).parents[2] / "Tests" / "StatisticsTests" / "ArviZ" / "chains.csv"

COLUMNS = {
    "rhat": lambda x: arviz.rhat(x, method="rank"),
    "ess_bulk": lambda x: arviz.ess(x, method="bulk"),
    "ess_tail": lambda x: arviz.ess(x, method="tail"),
    "ess_mean": lambda x: arviz.ess(x, method="mean"),
    "mcse_mean": lambda x: arviz.mcse(x, method="mean"),
    "mcse_q05": lambda x: arviz.mcse(x, method="quantile", prob=0.05),
    "mcse_q50": lambda x: arviz.mcse(x, method="quantile", prob=0.5),
    "mcse_q95": lambda x: arviz.mcse(x, method="quantile", prob=0.95),
}


def main():
    lines = ["name," + ",".join(COLUMNS)]
    for line in Path(sys.argv[1]).read_text().splitlines():
        name, count, *values = line.split(",")
        chains = np.array([float(x) for x in values]).reshape(int(count), -1)
        lines.append(",".join([name] + [repr(float(function(chains))) for function in COLUMNS.values()]))
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text("\n".join(lines) + "\n")


main()
