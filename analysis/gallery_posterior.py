"""Figures of Bayesian networks in the gallery."""

import numpy as np
from matplotlib.figure import Figure

import fathom
from fathom import plots
from gallery_training import panels


def estimates(result: fathom.Result) -> dict[tuple[int, str], tuple[float, float]]:
    """Value and error of every estimand, by width."""
    found = {}
    for case, table in zip(result.cases, result.estimands(), strict=True):
        width = int(plots.settings(case)["network.width"])
        for name, value, error in zip(*(table[key].values for key in ("quantity", "value", "error")), strict=True):
            found[width, str(name)] = float(value), float(error)
    return found


def predictions(chains: fathom.Result, weighted: fathom.Result) -> Figure:
    """What is predicted of three inputs over 1/N: bands of the process, of chains and of weighted networks."""
    figure, axes = panels(3, 3.9)
    limit = next(c for c in chains.comparisons() if c.reference == "infinite-width").table
    known = dict(zip(limit["quantity"].values, limit["reference"].values, strict=True))
    for ax, place, x in zip(axes, (4, 5, 6), (-0.65, 0.05, 2), strict=True):
        mean, deviation = known[f"posterior_mean[{place}]"], known[f"posterior_variance[{place}]"] ** 0.5
        for sign in (-1, 1):
            ax.axhline(mean + sign * deviation, color="black", lw=0.8, ls=":")
        ax.axhline(mean, color="black", lw=1, ls="--")
        ax.plot(0, mean, "D", ms=6, mfc="none", color="black", clip_on=False, label="Gaussian process")
        for result, colour, style, label in ((chains, plots.COLOURS[0], "o", "HMC"), (weighted, plots.COLOURS[1], "s", "weighted networks")):
            found = estimates(result)
            widths = sorted({width for width, _ in found})
            value, bar = np.array([found[width, f"posterior_mean[{place}]"] for width in widths]).T
            spread = np.sqrt([found[width, f"posterior_variance[{place}]"][0] for width in widths])
            shown = 1 / np.array(widths)
            ax.fill_between(shown, value - spread, value + spread, color=colour, alpha=0.2, lw=0)
            ax.errorbar(shown, value, 2 * bar, fmt=style + "-", ms=4, lw=0.8, mfc="none", color=colour, label=label)
        ax.set(xlabel="1/N", title=f"f({x:g}) given four targets", xlim=(0, None))
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def linear(result: fathom.Result) -> Figure:
    """Mean and variance of a prediction over depth: chains, and what is exact."""
    figure, axes = panels(2)
    depths = [int(plots.settings(case)["network.depth"]) for case in result.cases]
    for ax, name, label in zip(axes, ("posterior_mean[5]", "posterior_variance[5]"), ("posterior mean", "posterior variance"), strict=True):
        points = []
        for table in result.estimands():
            place = list(table["quantity"].values).index(name)
            points.append((float(table["value"][place]), 2 * float(table["error"][place])))
        value, bar = np.array(points).T
        ax.errorbar(depths, value, bar, fmt="o", ms=4, color=plots.COLOURS[0], label="chains, N = 4")
        for reference, style, words in (("linear-posterior", "-", "exactly, N = 4"), ("infinite-width", "--", "N = infinity")):
            tables = [c.table for c in result.comparisons() if c.reference == reference]
            exact = [float(t["reference"][list(t["quantity"].values).index(name)]) for t in tables]
            ax.plot(depths, exact[: len(depths)], style, lw=1, color="black", label=words)
        ax.set(xlabel="hidden layers", ylabel=label, xticks=depths)
    axes[0].legend(frameon=False, fontsize=8)
    return figure
