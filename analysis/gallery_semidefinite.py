"""Figures of semidefinite programs in the gallery."""

import numpy as np
from matplotlib.figure import Figure

import fathom
from fathom import plots
from gallery_training import panels


def max_cut(result: fathom.Result) -> Figure:
    """Distances of the relaxed cut and of its bound from the sharpest bound of all, and the rounded cut, over the steps."""
    figure, axes = panels(3)
    legs = [result.finite(case) for case in result.cases]

    value = min(float(np.min(leg.sel(observable="bound")["mean"])) for leg in legs)
    for index, (case, leg) in enumerate(zip(result.cases, legs, strict=True)):
        swept = plots.settings(case)
        first, last = (float(swept[f"semidefinite.{key}inverse_temperature"]) for key in ("", "final_"))
        label = f"beta = {first:g}" if first == last else f"beta = {first:g} to {last:g}"
        if int(swept["semidefinite.mixing"]) > 0:
            label += ", then mixing"
        step = np.asarray(leg["step"])
        for ax, name, sign in ((axes[0], "relaxed_cut", -1), (axes[1], "bound", 1), (axes[2], "rounded_cut", 0)):
            one = leg.sel(observable=name)
            mean, error = np.asarray(one["mean"]), 2 * np.nan_to_num(np.asarray(one["standard_error"]))
            y = sign * (mean - value) if sign else mean
            ax.plot(step, np.maximum(y, 1e-5) if sign else y, color=plots.COLOURS[index], lw=1, label=label)
            ax.fill_between(step, np.maximum(y - error, 1e-5) if sign else y - error, y + error, color=plots.COLOURS[index], alpha=0.25, lw=0)
    for ax, label in zip(axes, ("sharpest bound - relaxed cut", "bound - sharpest bound", "rounded cut, 1-opt"), strict=True):
        ax.set(xlabel="step", ylabel=label)
    for ax in axes[:2]:
        ax.set_yscale("log")
    axes[2].legend(frameon=False, fontsize=8, loc="lower right")
    return figure
