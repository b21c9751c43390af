"""Figures of chemotaxis in the gallery."""

import h5py
import numpy as np
from matplotlib.figure import Figure

import fathom
from fathom import plots
from gallery_training import panels


def growth(result: fathom.Result) -> Figure:
    """The first mode of the density over time: particles, and the density of infinitely many."""
    figure, axes = panels(1, 5.6)
    for index, case in enumerate(result.cases):
        eps = float(plots.settings(case)["chemotaxis.eps"])
        leg = result.finite(case).sel(observable="a[1]")
        time = np.asarray(leg["step"]) * float(result.finite(case).attrs["step"])
        colour = plots.COLOURS[index]
        limit = result.leg("chemotaxis-density", case).sel(observable="a[1]")
        axes[0].plot(time, limit["mean"], "-", lw=1, color=colour)
        axes[0].errorbar(time, leg["mean"], 2 * leg["standard_error"], fmt="o", ms=3, lw=0.8, color=colour, label=f"ε = {eps:g}")
    axes[0].set(xlabel="time t", ylabel="first mode of the density, a₁", ylim=(0, None))
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def spread(result: fathom.Result) -> Figure:
    """Quantiles of R over time."""
    figure, axes = panels(1, 5.6)
    ax = axes[0]
    for index, case in enumerate(result.cases):
        leg = result.finite(case)
        step = float(leg.attrs["step"])
        own = leg.sel(observable="R")
        levels = np.asarray(leg["quantile_level"])
        for level in (0.1, 0.5, 0.9):
            place = int(np.argmin(np.abs(levels - level)))
            label = f"h = {step:g}" if level == 0.5 else None
            style = {"ms": 4 + 2 * index, "mfc": "none", "color": plots.COLOURS[index], "label": label}
            ax.plot(np.asarray(own["step"]) * step, own["quantile"][:, place], "o", **style)
    case = min(result.cases, key=lambda case: float(result.finite(case).attrs["step"]))
    with h5py.File(result.path) as file:
        group = next(group for group in file["comparison"].values() if group.attrs["case"] == case)
        text = {name: group[name].asstr()[()] for name in ("observable", "statistic", "argument")}
        exact, points = group["reference"][()], group["layer"][()]
    step = float(result.finite(case).attrs["step"])
    for level in ("0.1", "0.5", "0.9"):
        mask = (text["observable"] == "R") & (text["statistic"] == "quantile") & (text["argument"] == level)
        order = np.argsort(points[mask])
        time, value = points[mask][order] * step, exact[mask][order]
        ax.plot(time, value, "-", lw=1, color=plots.RULE, zorder=0)
        ax.annotate(f"{float(level):.0%}", (time[-1], value[-1]), xytext=(6, -3), textcoords="offset points", fontsize=8)
    ax.set(xlabel="time t", ylabel="quantiles of R", ylim=(0, None))
    ax.legend(frameon=False, fontsize=8)
    return figure


def layer(result: fathom.Result) -> Figure:
    """Both signals over t/eps, and what is left after the limit, over eps."""
    figure, axes = panels(2)
    for ax, name in zip(axes, ("w[1]", "c[1]"), strict=True):
        for index, case in enumerate(result.cases):
            leg = result.finite(case)
            eps, step = float(leg.attrs["eps"]), float(leg.attrs["step"])
            own = leg.sel(observable=name)
            limit = result.leg("initial-layer", case).sel(observable=name)
            s = np.asarray(own["step"]) * step / eps
            difference = (np.asarray(own["mean"]) - np.asarray(limit["mean"])) / eps
            ax.plot(s, difference, "o-", ms=3, lw=0.8, color=plots.COLOURS[index], label=f"ε = τ = {eps:g}")
        ax.set(xlabel="t/ε", ylabel=f"({name[0]}₁ - layer)/ε")
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def aggregation(result: fathom.Result) -> Figure:
    """The first signal at the frames, from its modes in the first replica, and particles."""
    leg = result.finite()
    length, step = float(leg.attrs["length"]), float(leg.attrs["step"])
    x = np.linspace(0, length, 121)
    names = [str(name) for name in leg["observable"].values]
    values = np.asarray(leg["replica_value"].isel(replica=0))
    figure, axes = panels(len(leg["step"]), 2.5)
    fields = []
    for record in range(len(leg["step"])):
        field = np.full((len(x), len(x)), values[record][names.index("mean_c")])
        for name, value in zip(names, values[record], strict=True):
            if name.startswith("c["):
                j, k = (int(text) for text in name[2:-1].split(","))
                field += value * np.outer(np.cos(np.pi * j * x / length), np.cos(np.pi * k * x / length))
        fields.append(field)
    for record, ax in enumerate(axes):
        position = result.frame(record)[1]
        ax.imshow(fields[record].T, origin="lower", extent=(0, length, 0, length), cmap="magma")
        ax.plot(position[:, 0], position[:, 1], ".", ms=0.8, color="white", alpha=0.6)
        ax.set(title=f"t = {float(leg['step'][record]) * step:g}", xticks=[], yticks=[], xlim=(0, length), ylim=(0, length))
    return figure
