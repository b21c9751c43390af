"""Figures of the divergences of chains in the gallery."""

import numpy as np
from matplotlib.figure import Figure

import fathom
from fathom import plots
from gallery_training import panels


def curve(result: fathom.Result, case: str, name: str) -> tuple[np.ndarray, np.ndarray]:
    """An observable over the axis of a case."""
    leg = result.finite(case)
    one = leg["mean"].sel(observable=name)
    axis = one.dims[0]
    return leg[axis].values, one.values


def inequalities(result: fathom.Result) -> Figure:
    figure, axes = panels(2)
    step = 0.1
    for index, case in enumerate(result.cases):
        alpha = plots.settings(case)["divergence.alpha"]
        for ax, name in zip(axes, ("KL_own", "renyi[2]"), strict=True):
            steps, values = curve(result, case, name)
            seen = values > 1e-12
            ax.plot(step * steps[seen], values[seen], "o-", ms=3, lw=1, color=plots.COLOURS[index], label=f"α = {float(alpha):g}")
        time, gap = np.array([0.0, 20.0]), curve(result, case, "gap")[1][0]
        steps, values = curve(result, case, "KL_own")
        seen = np.flatnonzero(values > 1e-9)[-1]
        line = values[seen] * np.exp(-2 * gap * (time - step * steps[seen]))
        axes[0].plot(time, np.where(line < 20, line, np.nan), "--", lw=0.8, color=plots.COLOURS[index])
    axes[0].set(yscale="log", ylim=(1e-10, 20), xlabel="h k", ylabel="KL to the chain's stationary law")
    axes[1].set(yscale="log", xlabel="h k", ylabel="R₂ to the target")
    axes[1].legend(frameon=False, fontsize=8)
    return figure


def floors(result: fathom.Result) -> Figure:
    figure, axes = panels(2)
    lines: dict[float, list[tuple[float, float, float]]] = {}
    for case in result.cases:
        swept = plots.settings(case)
        floor, bias = (abs(curve(result, case, name)[1][-1]) for name in ("floor", "bias"))
        lines.setdefault(float(swept["divergence.power"]), []).append((float(swept["divergence.step"]), floor, bias))
    for index, (power, points) in enumerate(sorted(lines.items())):
        h, *both = np.array(sorted(points)).T
        # OBABO has twice the orders of LMC.
        factor = 1 if "KL_own" in result.finite(result.cases[0]).observable.values else 2
        for ax, values, order in zip(axes, both, (factor * min(power + 0.5, 2), factor), strict=True):
            ax.plot(h, values, "o-", ms=4, lw=1, color=plots.COLOURS[index], label=f"a = {power:g}")
            ax.plot(h, values[-1] * (h / h[-1]) ** order, "--", lw=0.8, color=plots.COLOURS[index])
    for ax, label in zip(axes, ("KL of the stationary law", "bias of E x²"), strict=True):
        ax.set(xscale="log", yscale="log", xlabel="h", ylabel=label)
        ticks = sorted({float(plots.settings(case)["divergence.step"]) for case in result.cases})
        ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        ax.minorticks_off()
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def orders(result: fathom.Result) -> Figure:
    figure, axes = panels(1)
    lines: dict[float, list[tuple[float, float]]] = {}
    for case in result.cases:
        swept = plots.settings(case)
        lines.setdefault(float(swept["divergence.alpha"]), []).append((float(swept["divergence.step"]), curve(result, case, "floor")[1][-1]))
    for index, (alpha, points) in enumerate(sorted(lines.items())):
        h, floor = np.array(sorted(points)).T
        axes[0].plot(h, floor, "o-", ms=4, lw=1, color=plots.COLOURS[index], label=f"α = {alpha:g}")
        axes[0].plot(h, floor[0] * (h / h[0]) ** 2, "--", lw=0.8, color=plots.COLOURS[index])
    axes[0].set(xscale="log", yscale="log", xlabel="h", ylabel="KL of the stationary law")
    axes[0].set_xticks([0.0125, 0.025, 0.05, 0.1], ["0.0125", "0.025", "0.05", "0.1"])
    axes[0].minorticks_off()
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def kappas(result: fathom.Result) -> Figure:
    figure, axes = panels(2)
    for index, name in enumerate(("lmc", "ulmc", "obabo", "baoab")):
        cases = [case for case in result.cases if plots.settings(case)["divergence.integrator"] == name]
        kappa = np.array([float(plots.settings(case)["divergence.kappa"]) for case in cases])
        steps = np.array([curve(result, case, "steps")[1] for case in cases])
        for column, ax in enumerate(axes):
            ax.plot(kappa, steps[:, column], "o-", ms=4, lw=1, color=plots.COLOURS[index], label=name)
    for ax, label in zip(axes, ("KL < 0.01", "KL < 0.0001"), strict=True):
        ax.set(xscale="log", yscale="log", xlabel="condition number κ", ylabel=f"steps to {label}")
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def gradients(result: fathom.Result) -> Figure:
    figure, axes = panels(2)
    for index, case in enumerate(result.cases):
        name = plots.settings(case)["divergence.integrator"]
        for ax, quantity in zip(axes, ("gradients", "number"), strict=True):
            inverse, values = curve(result, case, quantity)
            ax.plot(1 / inverse, values, "o-", ms=4, lw=1, color=plots.COLOURS[index], label=name)
    epsilon = np.array([1e-5, 1e-2])
    axes[1].plot(epsilon, 0.5 * epsilon**-0.5, "--", lw=0.8, color=plots.RULE)
    for ax, label in zip(axes, ("gradients", "particles N"), strict=True):
        ax.set(xscale="log", yscale="log", xlabel="ε", ylabel=label)
    axes[0].legend(frameon=False, fontsize=8)
    return figure
