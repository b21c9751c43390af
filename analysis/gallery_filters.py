"""Figures of particle filters in the gallery."""

import numpy as np
from matplotlib.figure import Figure

import fathom
from fathom import plots
from gallery_training import panels

# E sum x_{t-1} x_t given the ten observations of the job, by Kalman smoothing.
PRODUCT = 1.48944584


def evidence(result: fathom.Result) -> Figure:
    """Variance of the estimate of Z against the number of particles, with what is exact."""
    figure, axes = panels(1)
    points = []
    for case in result.cases:
        n = float(plots.settings(case)["filter.particles"])
        legs = (result.finite(case), result.leg("exact", case))
        leg, exact = (one.isel(observations=0).sel(observable="evidence_ratio") for one in legs)
        points.append((n, float(leg["variance"]), float(leg["variance_error"]), float(exact["variance"])))
    n, variance, error, known = np.array(sorted(points)).T
    axes[0].plot(n, known, "k--", lw=1, label="exact")
    axes[0].errorbar(n, variance, 2 * error, fmt="o", ms=4, color=plots.COLOURS[0], label="bootstrap filter")
    axes[0].set(xscale="log", yscale="log", xlabel="particles N", ylabel="Var of the estimate of Z over Z²")
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def sweeps(result: fathom.Result) -> Figure:
    """Bias of Parisian particle Gibbs over its sweeps, and bias and spread of averages at a fixed budget."""
    figure, axes = panels(2)
    ends = []
    for index, case in enumerate(result.cases):
        leg, n = result.finite(case), int(plots.settings(case)["filter.particles"])
        one = leg.sel(observable="product")
        axes[0].errorbar(
            one.sweep,
            np.abs(one["mean"] - PRODUCT),
            2 * one["standard_error"],
            fmt="o-",
            ms=3,
            lw=1,
            color=plots.COLOURS[index],
            label=f"N = {n}",
        )
        average = leg.sel(observable="averaged_product").isel(sweep=-1)
        bias, error = float(average["mean"]) - PRODUCT, float(average["standard_error"])
        ends.append((n, abs(bias), error, float(average["variance"]) ** 0.5))
    axes[0].set(yscale="log", xlim=(0, 17), ylim=(2e-3, 5), xlabel="sweep", ylabel="|bias|")
    axes[0].legend(frameon=False, fontsize=8)
    n, bias, error, spread = np.array(sorted(ends)).T
    axes[1].errorbar(n, bias, 2 * error, fmt="o-", ms=4, lw=1, color=plots.COLOURS[0], label="|bias| of the average")
    axes[1].plot(n, spread, "s-", ms=4, lw=1, color=plots.COLOURS[1], label="standard deviation of the average")
    axes[1].set(xscale="log", yscale="log", ylim=(1e-3, 5), xlabel="particles N, with 128/N sweeps")
    axes[1].legend(frameon=False, fontsize=8)
    for ax, ticks in ((axes[1], [2, 4, 8, 16, 32]),):
        ax.set_xticks(ticks, [str(tick) for tick in ticks])
        ax.minorticks_off()
    return figure


def learned(result: fathom.Result) -> Figure:
    """What EM has learned of stochastic volatility over the iterations, by particles and with exact statistics."""
    figure, axes = panels(3)
    for index, case in enumerate(result.cases):
        leg, exact = result.finite(case), result.leg("exact-em", case)
        n = int(plots.settings(case)["filter.particles"])
        for ax, name, symbol in zip(axes, ("persistence", "noise", "scale"), ("φ", "s", "b"), strict=True):
            one = leg.sel(observable=f"learned_{name}")
            ax.errorbar(
                one.iteration + 0.15 * (index - 1),
                one["mean"],
                2 * one["standard_error"],
                fmt="o",
                ms=2.5,
                lw=1,
                color=plots.COLOURS[index],
                label=f"N = {n}",
            )
            if index == 0:
                known = exact.sel(observable=f"learned_{name}")
                ax.plot(known.iteration, known["mean"], "k--", lw=1, label="exact statistics")
            ax.set(xlabel="iteration", ylabel=symbol)
    axes[0].legend(frameon=False, fontsize=8)
    return figure
