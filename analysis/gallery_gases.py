"""Figures of gases in the gallery."""

import numpy as np
from matplotlib.figure import Figure

import fathom
from fathom import plots
from gallery_training import panels


def epochs(result: fathom.Result) -> Figure:
    """Temperatures of both species over the logarithm of time, and their difference: a colour a ratio of masses, dashes the closure."""
    figure, axes = panels(2)
    for index, case in enumerate(result.cases):
        leg, limit = result.finite(case), result.leg("two-maxwellians", case)
        colour = plots.COLOURS[index]
        light, heavy = (leg.sel(observable=f"temperature[{a}]") for a in (0, 1))
        time = np.asarray(leg["time"])
        ratio = plots.settings(case)["gas.masses"].strip("[]").split(",")[0]
        for observable in (light, heavy):
            value, error = np.asarray(observable["mean"]), np.asarray(observable["standard_error"])
            label = f"mass ratio {float(ratio):g}" if observable is light else None
            axes[0].errorbar(time, value, 2 * error, fmt="o", ms=3, lw=0.8, color=colour, label=label)
        known = [np.asarray(limit.sel(observable=f"temperature[{a}]")["mean"]) for a in (0, 1)]
        for value in known:
            axes[0].plot(time, value, "--", lw=0.8, color=colour)
        difference = np.asarray(light["mean"]) - np.asarray(heavy["mean"])
        # Beyond the noise of the end nothing is left to show.
        shown = difference > 4 * np.asarray(light["standard_error"])
        axes[1].plot(time[shown], difference[shown], "o", ms=3, color=colour)
        axes[1].plot(time, np.maximum(known[0] - known[1], 1e-9), "--", lw=0.8, color=colour)
    axes[0].set(xscale="log", xlabel="time", ylabel="temperatures")
    axes[1].set(xscale="log", yscale="log", ylim=(1e-3, 2), xlabel="time", ylabel="difference of the temperatures")
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def stresses(result: fathom.Result) -> Figure:
    """S of a particle among Maxwell molecules against the shear, in the last record; lines: the closed form of equal masses."""
    figure, axes = panels(2)
    names = ["S[1,1]", "S[2,2]", "S[1,2]"]
    shears = np.array([float(plots.settings(case)["gas.shear"]) for case in result.cases])
    grid = np.linspace(0, 0.75, 200)
    x = 32 * grid**2 / 9
    base = 1 / (1 - x / 6)
    closed = [(1 + x) * base, base, -4 * grid / 3 * base]
    for colour, name, curve in zip(plots.COLOURS, names, closed, strict=False):
        legs = [result.finite(case).sel(observable=name).isel(time=-1) for case in result.cases]
        mean, error = (np.array([float(leg[key]) for leg in legs]) for key in ("mean", "standard_error"))
        axes[0].errorbar(shears, mean, 2 * error, fmt="o", ms=4, color=colour, label=name.replace("[", "_").replace("]", "").replace(",", ""))
        axes[0].plot(grid, curve, lw=0.8, color=colour)
    for index, case in enumerate(result.cases):
        leg = result.finite(case).sel(observable="square")
        axes[1].errorbar(
            leg["time"], leg["mean"], 2 * leg["standard_error"], fmt="o-", ms=4, lw=0.8, color=plots.COLOURS[index], label=f"K = {shears[index]:g}",
        )  # fmt: skip
        exact = result.leg("exact", case).sel(observable="square")
        axes[1].plot(exact["time"], exact["mean"], "k_", ms=12)
    axes[0].axvline(0.688852, color="grey", lw=0.8, ls=":")
    axes[0].set(xlabel="K/C", ylabel="stationary S, θ = 1")
    axes[1].set(xlabel="t", ylabel="tr S(t)", xscale="log")
    for ax in axes:
        ax.legend(frameon=False, fontsize=8)
    return figure


def drifts(result: fathom.Result) -> Figure:
    """E log|w|/log t over time, a colour a gamma; dashes: 1 - 1/log(1 - |gamma|), bands: 1/|gamma| to 1 + 1/|gamma|."""
    figure, (ax,) = panels(1)
    for index, case in enumerate(result.cases):
        gamma = float(plots.settings(case)["gas.gamma"])
        leg = result.finite(case).sel(observable="drift")
        colour = plots.COLOURS[index]
        ax.errorbar(leg["time"], leg["mean"], 2 * leg["standard_error"], fmt="o-", ms=3, lw=0.8, color=colour, label=f"γ = {gamma:g}")
        ax.axhspan(-1 / gamma, 1 - 1 / gamma, color=colour, alpha=0.08, lw=0)
        ax.axhline(1 - 1 / np.log(1 + gamma), color=colour, lw=0.8, ls="--")
    ax.set(xscale="log", xlabel="t", ylabel="E log|w| / log t")
    ax.legend(frameon=False, fontsize=8)
    return figure
