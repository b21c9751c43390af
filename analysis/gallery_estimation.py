"""Figures of estimators in the gallery."""

import numpy as np
from matplotlib.figure import Figure

import fathom
from fathom import plots
from gallery_training import panels


def regimes(result: fathom.Result) -> Figure:
    figure, axes = panels(2)
    for index, case in enumerate(result.cases):
        leg, exact = result.finite(case), result.leg("exact", case)
        dimension = plots.settings(case)["estimation.dimension"]
        for ax, name in zip(axes, ("participation", "divergence"), strict=True):
            one = leg.sel(observable=name)
            ax.errorbar(one.bandwidth, one["mean"], 2 * one["standard_error"], fmt="o", ms=3, color=plots.COLOURS[index], label=f"d = {dimension}")
            ax.plot(exact.bandwidth, exact["mean"].sel(observable=name), lw=1, color=plots.COLOURS[index])
    limit = result.leg("random-energy", result.cases[-1])
    axes[0].plot(limit.bandwidth, limit["mean"].sel(observable="participation"), "k--", lw=1, label="d = ∞")
    axes[0].set(ylabel="E Y₂: share of the largest terms")
    axes[1].set(ylabel="KL(p | ρ)/d", yscale="log")
    for ax in axes:
        ax.axvline(0.652145, color="0.7", lw=1)
        ax.set(xlabel="bandwidth h")
        ax.legend(frameon=False, fontsize=8)
    return figure


def designs(result: fathom.Result) -> Figure:
    figure, axes = panels(2)
    for case in result.cases:
        swept = plots.settings(case)
        ax = axes[int(swept["estimation.samples"] != "20")]
        leg = result.finite(case).sel(observable="log_error_ratio").isel(samples=0)
        design = swept["estimation.design"]
        colour = plots.COLOURS[("iid", "volume", "repeated").index(design)]
        ax.plot(np.exp(leg["quantile"]), leg["quantile_level"], "o-", ms=3, lw=1, color=colour, label=design)
        ax.set(xscale="log", xlabel="square error over the best fit", ylabel="probability", title=f"n = {swept['estimation.samples']}")
        ax.legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def queries(result: fathom.Result) -> Figure:
    figure, axes = panels(1)
    points = []
    for case in result.cases:
        swept = plots.settings(case)
        if swept["estimation.queries"] == "400":
            leg = result.finite(case).isel(samples=0)
            points.append((float(swept["estimation.noise"]), *(float(leg["mean"].sel(observable=name)) for name in ("bias", "fresh"))))
    noise, bias, fresh = np.array(sorted(points)).T
    axes[0].plot(noise, bias, "o", color=plots.COLOURS[0], label="on the examples that chose it")
    axes[0].plot(noise, fresh, "s", color=plots.COLOURS[1], label="on fresh examples")
    grid = np.linspace(0, 0.5, 200)
    axes[0].plot(grid, np.sqrt(800 / np.pi) / (100 * np.sqrt(0.01 + grid**2)), lw=1, color=plots.COLOURS[0])
    axes[0].set(xlabel="noise on each answer", ylabel="last query (true mean 0)")
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def hulls(result: fathom.Result) -> Figure:
    figure, axes = panels(1)
    for index, (name, label) in enumerate((("weight_recall", "by their weights"), ("loss_recall", "by what is lost without them"))):
        points = []
        for case in result.cases:
            one = result.finite(case).sel(observable=name).isel(samples=0)
            points.append((float(plots.settings(case)["estimation.scale"]), float(one["mean"]), 2 * float(one["standard_error"])))
        scale, mean, bar = np.array(points).T
        axes[0].errorbar(scale, mean, bar, fmt="o-", ms=3, lw=1, color=plots.COLOURS[index], label=label)
    axes[0].set(xscale="log", xlabel="scale t", ylabel="share of the hull's vertices found", ylim=(0, 1))
    axes[0].legend(frameon=False, fontsize=8)
    return figure
