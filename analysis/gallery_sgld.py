"""Figures of stochastic gradient Langevin dynamics and of heavy-tailed recursions."""

import numpy as np
from matplotlib.figure import Figure

import fathom
from fathom import plots
from gallery_training import panels


def sgld_bias(result: fathom.Result) -> Figure:
    figure, axes = panels(1, 6)
    batches = sorted({plots.settings(case)["particles.batch"] for case in result.cases}, key=int)
    for colour, batch in zip(plots.COLOURS, batches, strict=False):
        points = []
        for case in result.cases:
            swept = plots.settings(case)
            if swept["particles.batch"] == batch:
                one = result.finite(case).sel(observable="deviation^2").isel(step=-1)
                exact = result.references(case)["exact"].sel(observable="deviation^2").isel(step=-1)
                points.append((float(swept["particles.step"]), float(one["mean"]), float(one["standard_error"]), float(exact["mean"])))
        h, mean, error, line = np.array(sorted(points)).T
        axes[0].errorbar(h, mean, 2 * error, fmt="o", ms=4, color=colour, label=f"b = {batch}")
        axes[0].plot(h, line, lw=1, color=colour)
    axes[0].axhline(0.01, color=plots.RULE, lw=1, zorder=0)
    axes[0].set(xscale="log", yscale="log", xlabel="step size h", ylabel="E (w - ŵ)²")
    axes[0].set_xticks([0.025, 0.05, 0.1, 0.2, 0.4], ["0.025", "0.05", "0.1", "0.2", "0.4"])
    axes[0].minorticks_off()
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def modified_law(result: fathom.Result) -> Figure:
    figure, axes = panels(1, 6)
    for colour, name in zip(plots.COLOURS, ("stationary-limit", "modified-law"), strict=False):
        points = []
        for case in result.cases:
            one = result.finite(case).sel(observable="energy").isel(step=-1)
            law = result.references(case)[name].sel(observable="energy").isel(step=-1)
            points.append((float(plots.settings(case)["particles.step"]), float(one["mean"] - law["mean"]), float(one["standard_error"])))
        h, off, error = np.array(sorted(points)).T
        axes[0].errorbar(h, off, 2 * error, fmt="o-", ms=4, lw=1, color=colour, label=f"less that of the {name.replace('-', ' ')}")
    axes[0].axhline(0, color=plots.RULE, lw=1, zorder=0)
    axes[0].set(xlabel="step size h", ylabel="E U of the chains")
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def generalisation(result: fathom.Result) -> Figure:
    figure, axes = panels(2)
    for ax, name, words in zip(axes, ("gap", "stability"), ("F - F_S", "squared distance of neighbours"), strict=True):
        for colour, case in zip(plots.COLOURS, (c for c in result.cases if plots.settings(c)["training.temperature"] == "0.05"), strict=False):
            one = result.finite(case).sel(observable=name)
            exact = result.references(case)["exact"].sel(observable=name)
            ax.errorbar(
                one["step"],
                one["mean"],
                2 * one["standard_error"],
                fmt="o",
                ms=4,
                color=colour,
                label=f"b = {plots.settings(case)['training.batch']}",
            )
            ax.plot(exact["step"], exact["mean"], lw=1, color=colour)
        ax.set(xscale="log", xlabel="step", ylabel=words)
    axes[1].legend(frameon=False, fontsize=8)
    return figure


def estimates(result: fathom.Result, case: str, name: str) -> list[tuple[int, float, float]]:
    """Index, value and error of the estimands of a family that were taken."""
    rows = [row for part in result.report()["cases"] if part["label"] == case for own in part.get("estimands", []) for row in own["rows"]]
    found = [(int(row["quantity"].split("[")[1][:-1]), row["value"], row["error"]) for row in rows if row["quantity"].startswith(f"{name}[")]
    return sorted(point for point in found if point[1] is not None and point[2] is not None)


def hills(result: fathom.Result) -> Figure:
    figure, axes = panels(1, 6)
    for colour, case in zip(plots.COLOURS, result.cases, strict=False):
        index = float(result.finite(case).sel(observable="exponent").isel(step=-1)["mean"])
        i, hill, error = np.array(estimates(result, case, "tail_index")).T
        axes[0].errorbar(10.0 ** (1 + i), hill, 2 * error, fmt="o", ms=4, color=colour, label=f"a = {plots.settings(case)['training.learning_rate']}")
        axes[0].axhline(index, lw=1, color=colour)
    axes[0].set(xscale="log", yscale="log", xlabel="threshold", ylabel="Hill's estimate; line: k")
    axes[0].set_yticks([0.5, 1, 2, 4], ["0.5", "1", "2", "4"])
    axes[0].minorticks_off()
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def durations(result: fathom.Result) -> Figure:
    figure, axes = panels(2)
    times = np.array([1e2, 1e3, 1e4])
    for colour, case in zip(plots.COLOURS, result.cases, strict=False):
        last, label = result.finite(case).isel(step=-1), f"a = {plots.settings(case)['training.learning_rate']}"
        index = float(last.sel(observable="exponent")["mean"])
        counts = [last.sel(observable=f"events[{j}]") for j in range(len(times))]
        mean = np.array([float(c["mean"]) for c in counts])
        axes[0].errorbar(times, mean, [2 * float(c["standard_error"]) for c in counts], fmt="o", ms=4, color=colour, label=label)
        axes[0].plot(times, mean[-1] * (times / times[-1]) ** min(index, 1), "--", lw=1, color=colour)
        for name, style in (("coverage", "o-"), ("coverage_all", "s--")):
            j, share, error = np.array(estimates(result, case, name)).T
            axes[1].errorbar(
                times[j.astype(int)], share, 2 * error, fmt=style, ms=4, lw=1, color=colour, label=f"{label}, {'a' if name == 'coverage' else 'all'}"
            )
    axes[0].set(xscale="log", yscale="log", xlabel="time t", ylabel="events by t")
    axes[0].legend(frameon=False, fontsize=8)
    axes[1].axhline(0.95, color=plots.RULE, lw=1, zorder=0)
    axes[1].set(xscale="log", xlabel="time t", ylabel="coverage of 95 %")
    axes[1].legend(frameon=False, fontsize=8, loc="lower right")
    return figure
