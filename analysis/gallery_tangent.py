"""Figures of services of the tangent kernel in the gallery."""

import numpy as np
from matplotlib.figure import Figure

import fathom
from fathom import plots
from gallery_training import panels


def flows(result: fathom.Result) -> Figure:
    figure, axes = panels(3, 3.4)
    for case in result.cases:
        is_plain = float(plots.settings(case)["tangent.strength"]) == 0
        leg, limit = result.finite(case), result.leg("infinite-width-service", case)
        colour = plots.COLOURS[0 if is_plain else 1]
        for a, (ax, point) in enumerate(zip(axes, ("-0.65", "0.05", "2"), strict=True)):
            one = leg.sel(observable=f"mean[{a}]")
            fill = {"mfc": "none"} if is_plain else {}
            label = "plain" if is_plain else "adversarial"
            ax.errorbar(one.time, one["mean"], 2 * one["standard_error"], fmt="o", ms=4, color=colour, label=label, **fill)
            ax.plot(limit.time, limit["mean"].sel(observable=f"mean[{a}]"), lw=1, color=colour)
            ax.set(xscale="log", xlabel="time t", title=f"x = {point}")
    axes[0].set(ylabel="mean output")
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def labels(result: fathom.Result) -> Figure:
    figure, axes = panels(1)
    widths = np.array([float(plots.settings(case)["tangent.width"]) for case in result.cases])
    limit = result.leg("infinite-width-service", result.cases[0]).isel(sources=0)
    names = {"true_error": "true labels", "limit_error": "solved at infinite width", "own_error": "solved with its own kernel"}
    for index, (name, label) in enumerate(names.items()):
        legs = [result.finite(case).isel(sources=0).sel(observable=name) for case in result.cases]
        means, errors = ([float(leg[key]) for leg in legs] for key in ("mean", "standard_error"))
        axes[0].errorbar(widths, means, 2 * np.array(errors), fmt="o-", ms=4, lw=1, color=plots.COLOURS[index], label=label)
        if name != "limit_error":
            axes[0].axhline(float(limit["mean"].sel(observable=name)), lw=1, ls="--", color=plots.COLOURS[index])
    axes[0].set(xscale="log", xlabel="hidden units n", ylabel="mean square error", ylim=(0.25, None))
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def choices(result: fathom.Result) -> Figure:
    figure, axes = panels(2)
    names = []
    for index, case in enumerate(result.cases):
        swept = plots.settings(case)
        by, size = swept["tangent.by"].strip('"'), swept["tangent.size"]
        names.append(by if by == "random" else f"{by}\n{'p' if by == 'sketch' else 'n'} = {size}")
        colour = plots.COLOURS[("sketch", "network", "random").index(by)]
        for ax, name in zip(axes, ("log_det", "test_error"), strict=True):
            one = result.finite(case).isel(picks=-1).sel(observable=name)
            ax.errorbar(index, float(one["mean"]), 2 * float(one["standard_error"]), fmt="o", color=colour)
    limit = result.leg("greedy-kernel", result.cases[0]).isel(picks=-1)
    for ax, name, label in zip(axes, ("log_det", "test_error"), ("log det(1 + K/s²), 40 picks", "mean square error"), strict=True):
        ax.axhline(float(limit["mean"].sel(observable=name)), color="k", lw=1)
        ax.set(ylabel=label, xticks=range(len(names)))
        ax.set_xticklabels(names, fontsize=7)
    return figure
