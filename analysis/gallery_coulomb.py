"""Figures of Coulomb gases in the gallery."""

import numpy as np
from matplotlib.figure import Figure

import fathom
from fathom import plots
from gallery_training import panels


def rows(case: dict, reference: str) -> dict[str, dict]:
    """The rows of one comparison, by quantity."""
    return {row["quantity"]: row for part in case["comparisons"] if part["reference"] == reference for row in part["rows"]}


def cumulants(result: fathom.Result) -> Figure:
    """Scaled cumulants over N, and the lines that they go to."""
    figure, axes = panels(4, 3.2)
    cases = result.report()["cases"]
    for place, (order, power) in enumerate([(2, "2"), (2, "4"), (3, "2"), (3, "4")]):
        ax = axes[place]
        for dimension in (1, 2, 3):
            points = []
            for case in cases:
                swept = case["swept"]
                if f"{float(swept['coulomb.statistic']):g}" != power or int(swept["coulomb.dimension"]) != dimension:
                    continue
                n, row = float(swept["coulomb.number"]), rows(case, "droplet-cumulants")[f"kappa_{order}"]
                points.append([n, *(row[name] * n ** (order - 2) for name in ("finite", "finite_error", "reference"))])
            n, value, error, line = np.array(sorted(points)).T
            colour = plots.COLOURS[dimension - 1]
            ax.errorbar(n, value, 2 * error, fmt="o-", ms=3, lw=0.8, color=colour, label=f"d = {dimension}")
            ax.plot(n, line, "--", lw=0.8, color=colour)
        ax.set(xscale="log", xlabel="N", title=f"{'N ' if order == 3 else ''}κ{'₂' if order == 2 else '₃'} of Σ r{'²' if power == '2' else '⁴'}")
        ax.set_xticks(n, [f"{x:g}" for x in n])
        ax.minorticks_off()
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def deviations(result: fathom.Result) -> Figure:
    """The rate over l, and the curve of the limit."""
    figure, axes = panels(1, 5)
    points = []
    for case in result.report()["cases"]:
        own = rows(case, "large-deviation")
        points.append([own["E l"]["finite"], own["E rate"]["finite"], own["E rate"]["finite_error"]])
    value, rate, error = np.array(sorted(points)).T
    x = np.linspace(0.9 * value.min(), 1.05 * value.max(), 200)
    axes[0].plot(x, (2 * x - 1 - np.log(2 * x)) / 4, "--", lw=0.8, color=plots.COLOURS[1], label="[2l - 1 - log 2l]/4")
    axes[0].errorbar(value, rate, 2 * error, fmt="o", ms=4, color=plots.COLOURS[0], label="tilted sampling, N = 32")
    axes[0].set(xlabel="l", ylabel="Ψ")
    axes[0].legend(frameon=False, fontsize=8)
    return figure
