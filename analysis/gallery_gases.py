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
