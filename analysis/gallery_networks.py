"""Figures of networks at initialisation and of particle systems in the gallery."""

import matplotlib
import numpy as np
from matplotlib.figure import Figure

import fathom
from fathom import plots
from gallery_training import panels


def neural_covariance(result: fathom.Result) -> Figure:
    figure, axes = panels(2)
    for ax, name in zip(axes, ("rho[0,1]", "log_V[0]"), strict=True):
        fathom.plot_density(result, name, ax=ax)
    return figure


def unshaped_q(result: fathom.Result) -> Figure:
    figure, axes = panels(2)
    widest = result.cases[-1]
    fathom.plot_density(result, "q^-1/2[0,1]", case=widest, ax=axes[0])
    axes[0].set_title("width 512")
    fathom.plot_sweep(result, "network.width", "q^-1/2[0,1]", ax=axes[1])
    return figure


def normal(ax: matplotlib.axes.Axes, leg, label: str) -> None:
    """A normal density with the mean and the second moment of a leg that has no draws."""
    one = leg.sel(observable="log_V[0]").isel(layer=-1)
    mean = float(one["mean"])
    deviation = np.sqrt(float(one["second_moment"]) - mean**2)
    x = np.linspace(mean - 4 * deviation, mean + 4 * deviation, 200)
    y = np.exp(-0.5 * ((x - mean) / deviation) ** 2) / (deviation * np.sqrt(2 * np.pi))
    ax.plot(x, y, color=plots.COLOURS[1], label=label)


def log_norm(result: fathom.Result) -> Figure:
    figure, axes = panels(2)
    for ax, case in zip(axes, (result.cases[0], result.cases[-1]), strict=True):
        fathom.plot_density(result, "log_V[0]", case=case, ax=ax)
        leg = result.leg("log-gaussian", case)
        if "density" not in leg:
            normal(ax, leg, "log-gaussian")
        ax.legend(frameon=False, fontsize=8)
        ax.set_title(f"width = depth = {plots.settings(case)['network.width']}")
    return figure


def vertex(result: fathom.Result) -> Figure:
    """Distances of a mean and a variance from two theories, against the width."""
    figure, axes = panels(2)
    cases = result.report()["cases"]
    widths = np.array([float(case["swept"]["network.width"]) for case in cases])
    for ax, quantity in zip(axes, ("E log_V[0]", "Var log_V[0]"), strict=True):
        for reference, order, colour in (("infinite-width", 1, 0), ("finite-width", 2, 1)):
            rows = [
                row for case in cases for part in case["comparisons"] if part["reference"] == reference
                for row in part["rows"] if row["quantity"] == quantity
            ]  # fmt: skip
            if not rows:
                continue
            off = np.abs([row["finite"] - row["reference"] for row in rows])
            error = 2 * np.array([row["finite_error"] for row in rows])
            ax.errorbar(widths, off, error, fmt="o", ms=3, color=plots.COLOURS[colour], label=reference)
            ax.plot(widths, off[0] * (widths / widths[0]) ** -order, lw=0.8, ls="--", color=plots.COLOURS[colour])
        ax.set(xscale="log", yscale="log", xlabel="width", ylabel=f"distance of {quantity}")
        ax.set_xticks(widths, [f"{width:.0f}" for width in widths])
        ax.minorticks_off()
        ax.legend(frameon=False, fontsize=8)
    return figure


def order(result: fathom.Result) -> Figure:
    figure, axes = panels(1, 5)
    fathom.plot_order(result, ax=axes[0])
    return figure


def information(result: fathom.Result) -> Figure:
    figure, axes = panels(1, 5)
    fathom.plot_information(result, ax=axes[0])
    return figure


def transformer(result: fathom.Result) -> Figure:
    figure, axes = panels(2)
    fathom.plot_density(result, "rho[0,1]", ax=axes[0])
    for name, label, colour in (("network", "finite", 0), ("transformer-sde", "SDE", 1)):
        fathom.plot_depth(result.leg(name), "rho[0,1]", label=label, color=plots.COLOURS[colour], ax=axes[1])
    axes[1].legend(frameon=False, fontsize=8)
    return figure


def rank_collapse(result: fathom.Result) -> Figure:
    figure, axes = panels(1, 6)
    fathom.plot_curves(result, "rho[0,1]", ax=axes[0])
    axes[0].set_xscale("log")
    return figure


def explosion(result: fathom.Result) -> Figure:
    figure, axes = panels(1, 6)
    for index, case in enumerate(result.cases):
        name = "sinh" if "sinh" in case else "tanh"
        colour = plots.COLOURS[index]
        fathom.plot_depth(result.finite(case), "crossed", label=f"{name}, network", color=colour, marker="o", ax=axes[0])
        law = result.references(case).get("explosion-law")
        if law is not None and np.isfinite(law["mean"].sel(observable="crossed")).any():
            fathom.plot_depth(law, "crossed", label=f"{name}, law of the SDE", color=colour, ls="--", ax=axes[0])
    axes[0].set_ylabel("P(V beyond 1000)")
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def tangent(result: fathom.Result) -> Figure:
    figure, axes = panels(2)
    for ax, name in zip(axes, ("NTK[0,0]", "V[0,0]"), strict=True):
        for index, ensemble in enumerate(("gaussian", "orthogonal")):
            points = []
            for case in result.cases:
                swept = plots.settings(case)
                if swept["network.ensemble"] == ensemble:
                    one = result.finite(case).sel(observable=name).isel(layer=-1)
                    scale = int(result.finite(case).attrs["width"]) / float(one["mean"]) ** 2
                    points.append((float(swept["network.depth"]), scale * float(one["variance"]), scale * float(one["variance_error"])))
            d, variance, error = np.array(sorted(points)).T
            ax.errorbar(d, variance, 2 * error, fmt="o-", ms=4, lw=1, color=plots.COLOURS[index], label=ensemble)
        ax.set(xscale="log", yscale="log", xlabel="depth", ylabel=f"n Var {name} / (E {name})²")
        ax.set_xticks(d, [f"{depth:g}" for depth in d])
        ax.minorticks_off()
        ax.legend(frameon=False, fontsize=8)
    return figure


def chaos(result: fathom.Result) -> Figure:
    figure, axes = panels(1, 6)
    laws = {part["case"]: part["marginals"][0] for part in result.report()["diagnostics"] if part["leg"] == "particles"}
    for index, integrator in enumerate(("baoab", "lmc")):
        points = []
        for case, law in laws.items():
            swept = plots.settings(case)
            if swept["particles.integrator"] == integrator:
                points.append((float(swept["particles.number"]), law["kl"], law["kl_error"]))
        n, kl, error = np.array(sorted(points)).T
        axes[0].errorbar(n, kl, 2 * error, fmt="o", ms=4, color=plots.COLOURS[index], label=integrator)
    n = np.array([4.0, 256.0])
    axes[0].plot(n, 0.25 / n**2, "--", color=plots.RULE, label="1 / (4 N²)")
    axes[0].set(xscale="log", yscale="log", xlabel="N", ylabel="KL of one particle to the limit")
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def samplers(result: fathom.Result) -> Figure:
    figure, axes = panels(2)
    for ax, name in zip(axes, ("energy", "x^2"), strict=True):
        fathom.plot_sweep(result, "particles.step", name, ax=ax)
        ax.legend().remove()
    axes[1].legend(*axes[0].get_legend_handles_labels(), frameon=False, fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def transition(result: fathom.Result) -> Figure:
    figure, axes = panels(1, 6)
    fathom.plot_sweep(result, "particles.inverse_temperature", "x", ax=axes[0])
    axes[0].axvline(2.1884396, color=plots.RULE, lw=1, zorder=0)
    axes[0].set(ylabel="E x", xlabel="inverse temperature")
    return figure
