"""Figures of generative diffusions in the gallery."""

import numpy as np
from matplotlib.figure import Figure

import fathom
from fathom import plots
from gallery_training import panels


def dale(result: fathom.Result) -> Figure:
    figure, axes = panels(2)
    for index, (start, label) in enumerate((("exact", "exact start"), ("log-normal", "LN(0, σ²T)"))):
        points = []
        for case in result.cases:
            swept = plots.settings(case)
            if swept["diffusion.start"].strip('"') == start:
                leg = result.finite(case).isel(steps=0)
                points.append(
                    (
                        float(swept["diffusion.steps"]),
                        *(float(leg[what].sel(observable=name)) for name in ("divergence", "log_x") for what in ("mean", "standard_error")),
                    )
                )
        k, divergence, error, mean, mean_error = np.array(sorted(points)).T
        axes[0].errorbar(k, divergence, 2 * error, fmt="o-", ms=4, lw=1, color=plots.COLOURS[index], label=label)
        axes[1].errorbar(k, mean - 0.2, 2 * mean_error, fmt="o-", ms=4, lw=1, color=plots.COLOURS[index], label=label)
    axes[0].set(xscale="log", yscale="log", xlabel="steps K", ylabel="KL(data | generated)")
    axes[1].axhline(0, color="0.7", lw=1)
    axes[1].set(xscale="log", xlabel="steps K", ylabel="E log x less that of the data")
    for ax in axes:
        ax.set_xticks([20, 50, 100, 200], ["20", "50", "100", "200"])
        ax.minorticks_off()
        ax.legend(frameon=False, fontsize=8)
    return figure


def kinetic(result: fathom.Result) -> Figure:
    figure, axes = panels(2)
    leg, path = result.finite(), fathom.kinetic_path(result)
    one = leg.sel(observable="explained")
    axes[0].errorbar(one.signal, one["mean"], 2 * one["standard_error"], fmt="o", ms=3, color=plots.COLOURS[0])
    axes[0].set(xscale="log", xlabel="signal s", ylabel="λ(s)", ylim=(0, 1.05))
    axes[1].plot(path.time, path.alpha, color=plots.COLOURS[0], label="α, optimal")
    axes[1].plot(path.time, path.sigma, color=plots.COLOURS[1], label="σ, optimal")
    axes[1].plot(path.time, path.time, "k--", lw=1, label="cond-OT")
    axes[1].plot(path.time, 1 - path.time, "k--", lw=1)
    axes[1].set(xlabel="time", title=f"energy {float(path.energy[0]):.3f} against {float(path.energy[1]):.3f}")
    axes[1].legend(frameon=False, fontsize=8)
    return figure


def projections(result: fathom.Result) -> Figure:
    figure, axes = panels(1)
    report = result.report()["cases"]
    for index, case in enumerate(result.cases):
        rows = [row for part in report if part["label"] == case for row in part["estimands"][0]["rows"]]
        value, error = np.array([(row["value"], row["error"]) for row in rows]).T
        place = np.arange(len(value)) + 0.15 * (index - 1)
        label = f"K = {plots.settings(case)['diffusion.steps']}"
        axes[0].errorbar(place, value, 2 * error, fmt="o", ms=3, lw=1, color=plots.COLOURS[index], label=label)
    known = next(own for part in report for own in part["comparisons"] if own["reference"] == "kernel-mixtures")
    limits = [row["reference"] for row in known["rows"]]
    axes[0].plot(np.arange(len(limits)), limits, "k_", ms=16, lw=1, label="mixture")
    axes[0].axhline(0, color="0.7", lw=1)
    axes[0].set(xlabel="digit", ylabel="excess kurtosis, first component", xticks=np.arange(len(limits)))
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def generated(result: fathom.Result) -> Figure:
    figure, axes = panels(1)
    for index, (name, label) in enumerate((("diffusion", "generated"), ("gaussian-equivalent", "normal, same two moments"))):
        points = []
        for case in result.cases:
            leg = (result.finite(case) if index == 0 else result.leg(name, case)).isel(samples=0).sel(observable="error")
            points.append((float(plots.settings(case)["diffusion.samples"]), float(leg["mean"]), float(leg["standard_error"])))
        n, mean, error = np.array(sorted(points)).T
        axes[0].errorbar(n, mean, 2 * error, fmt="o-", ms=4, lw=1, color=plots.COLOURS[index], label=label)
    axes[0].set(xscale="log", xlabel="examples a class", ylabel="test error")
    axes[0].legend(frameon=False, fontsize=8)
    return figure
