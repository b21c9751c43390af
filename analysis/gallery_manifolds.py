"""Figures of systems on manifolds in the gallery."""

import numpy as np
from matplotlib.figure import Figure

import fathom
from fathom import plots
from gallery_training import panels


def known(result: fathom.Result, case: str, name: str) -> float | None:
    """The mean of an observable that is known without sampling, if it is."""
    for leg in result.references(case).values():
        if name in leg.observable.values:
            return float(leg["mean"].sel(observable=name).isel(step=-1))
    return None


def lines(result: fathom.Result, key: str, name: str) -> dict[str, np.ndarray]:
    """By integrator: value of the key, mean and standard error."""
    found: dict[str, list[tuple[float, float, float]]] = {}
    for case in result.cases:
        swept = plots.settings(case)
        one = result.finite(case).sel(observable=name).isel(step=-1)
        point = (float(swept[key]), float(one["mean"]), float(one["standard_error"]))
        found.setdefault(str(swept["manifold.integrator"]), []).append(point)
    return {integrator: np.array(sorted(points)).T for integrator, points in found.items()}


def steps(result: fathom.Result, names: tuple[tuple[str, str], ...]) -> Figure:
    figure, axes = panels(len(names))
    for ax, (name, label) in zip(axes, names, strict=True):
        for index, (integrator, (h, mean, error)) in enumerate(lines(result, "manifold.step", name).items()):
            ax.errorbar(h, mean, 2 * error, fmt="o-", ms=4, lw=1, color=plots.COLOURS[index], label=integrator)
        exact = known(result, result.cases[0], name)
        if exact is not None:
            ax.axhline(exact, ls="--", lw=1, color=plots.RULE, zorder=0)
        ax.set(xlabel="step h", ylabel=label, xlim=(0, None))
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def spheres(result: fathom.Result) -> Figure:
    return steps(result, (("cosine", "E cos of neighbours"), ("residual", "residual")))


def frames(result: fathom.Result) -> Figure:
    return steps(result, (("cosine", "E mu · x₁"), ("second^2", "E (mu · x₂)²")))


def plaquettes(result: fathom.Result) -> Figure:
    figure, axes = panels(2)
    for ax, (name, label) in zip(axes, (("plaquette", "E cos of a plaquette"), ("charge^2", "E Q²")), strict=True):
        for index, (integrator, (beta, mean, error)) in enumerate(lines(result, "manifold.inverse_temperature", name).items()):
            ax.errorbar(beta, mean, 2 * error, fmt="o", ms=4, lw=1, color=plots.COLOURS[index], label=integrator)
        exact = {float(plots.settings(case)["manifold.inverse_temperature"]): known(result, case, name) for case in result.cases}
        curve = np.array(sorted(exact.items())).T
        ax.plot(*curve, "--", lw=1, color=plots.RULE, zorder=0, label="exact")
        ax.set(xscale="log", xlabel="inverse temperature", ylabel=label)
        ax.set_xticks(curve[0], [f"{b:g}" for b in curve[0]])
        ax.minorticks_off()
    axes[0].legend(frameon=False, fontsize=8)
    return figure
