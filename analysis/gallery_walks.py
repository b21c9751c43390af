"""Figures of walks on graphs in the gallery."""

import numpy as np
from matplotlib.figure import Figure

import fathom
from fathom import plots
from gallery_training import panels


def _curves(result: fathom.Result, observable: str, reference: str, step: float, label: str) -> Figure:
    """An observable in units of the step, and times step/n, over the steps: a colour a strength, dashes the limit."""
    figure, axes = panels(2)
    for index, case in enumerate(result.cases):
        leg = result.finite(case).sel(observable=observable)
        n, value, error = (np.asarray(leg[name]) for name in ("step", "mean", "standard_error"))
        limit = float(result.leg(reference, case).sel(observable=observable)["mean"].isel(step=-1))
        colour = plots.COLOURS[index]
        alpha = float(plots.settings(case)["walk.alpha"])
        for ax, factor in zip(axes, (step / n, np.ones_like(n)), strict=True):
            ax.errorbar(n, value * factor, 2 * error * factor, fmt="o-", ms=3, lw=0.8, color=colour, label=f"α = {alpha:g}")
            ax.plot(n, limit * factor, "--", lw=0.8, color=colour)
    for ax, words in zip(axes, (label, f"{label}, times n/{step:g}" if step != 1 else f"{label}, times n"), strict=True):
        ax.set(xscale="log", yscale="log", xlabel="steps n", ylabel=words)
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def errors(result: fathom.Result) -> Figure:
    return _curves(result, "scaled_error", "walk-covariance", 1, "E |x - μ|²")


def tokens(result: fathom.Result) -> Figure:
    return _curves(result, "scaled_excess", "token-covariance", 10, "E F(θ) - F(θ*)")
