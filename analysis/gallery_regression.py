"""Figures of kernel and random-feature regression in the gallery."""

import numpy as np
from matplotlib.figure import Figure

import fathom
from fathom import plots
from gallery_training import panels


def column(leg, name: str, record: int) -> tuple[float, float]:
    """A mean of a record and its standard error; 0 where nothing is drawn."""
    one = leg.sel(observable=name).isel({plots.axis_of(leg): record})
    return float(one["mean"]), float(one["standard_error"]) if "standard_error" in one else 0.0


def against(result: fathom.Result, case: str, key: str, record: int) -> tuple[float, ...]:
    """A swept value, the test error there with its standard error, and that of the eigenframework."""
    theory = column(result.leg("eigenframework", case), "test", record)[0]
    return float(plots.settings(case)[key]), *column(result.finite(case), "test", record), theory


def risks(result: fathom.Result) -> Figure:
    """Test error over the number of features, a line a ridge, with the eigenframework."""
    figure, axes = panels(1, 5.6)
    ridges = result.finite(result.cases[0])["ridge"].values
    for record, ridge in enumerate(ridges):
        points = sorted(
            (
                float(plots.settings(case)["regression.features"]),
                *column(result.finite(case), "test", record),
                column(result.leg("eigenframework", case), "test", record)[0],
            )
            for case in result.cases
        )
        k, mean, error, theory = np.array(points).T
        samples = 100
        axes[0].errorbar(k / samples, mean, 2 * error, fmt="o", ms=4, color=plots.COLOURS[record], label=f"ridge {ridge:g}")
        axes[0].plot(k / samples, theory, "-", lw=1, color=plots.COLOURS[record])
    axes[0].set(xscale="log", yscale="log", xlabel="features over samples", ylabel="E test", xlim=(0.2, 30))
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def fitting(result: fathom.Result) -> Figure:
    """Training error over test error over the ridge, and the limit at the best one."""
    figure, axes = panels(2)
    for index, case in enumerate(result.cases):
        leg, theory = result.finite(case), result.leg("eigenframework", case)
        ridge = leg["relative_ridge"].values
        values = {name: np.array([(*column(leg, name, i), column(theory, name, i)[0]) for i in range(len(ridge))]) for name in ("test", "train")}
        label = f"n = {plots.settings(case)['regression.samples']}"
        for ax, name in zip(axes, ("test", "ratio"), strict=True):
            test, train = values["test"], values["train"]
            y = test[:, 0] if name == "test" else train[:, 0] / test[:, 0]
            line = test[:, 2] if name == "test" else train[:, 2] / test[:, 2]
            bars = 2 * (test[:, 1] if name == "test" else train[:, 1] / test[:, 0])
            ax.errorbar(ridge, y, bars, fmt="o", ms=4, color=plots.COLOURS[index], label=label)
            ax.plot(ridge, line, "-", lw=1, color=plots.COLOURS[index])
    axes[1].axhline(0.39885, ls="--", lw=0.8, color="black")
    axes[1].axvline(1, ls="--", lw=0.8, color="black")
    for ax, name in zip(axes, ("E test", "E train / E test"), strict=True):
        ax.set(xscale="log", xlabel="ridge over the best ridge", ylabel=name)
    axes[0].set_yscale("log")
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def scaling(result: fathom.Result) -> Figure:
    """Error over samples at several numbers of features, and the same collapsed."""
    figure, axes = panels(2)
    numbers = sorted({float(plots.settings(case)["regression.features"]) for case in result.cases})
    for index, k in enumerate(numbers):
        points = sorted(
            (float(plots.settings(case)["regression.samples"]), *column(result.finite(case), "test", 0))
            for case in result.cases if float(plots.settings(case)["regression.features"]) == k
        )  # fmt: skip
        n, mean, error = np.array(points).T
        label = f"k = {k:g}" if k < 1e9 else "k = ∞"
        axes[0].errorbar(n, mean, 2 * error, fmt="o-", ms=4, lw=1, color=plots.COLOURS[index], label=label)
        m, large = np.minimum(n, k), np.maximum(n, k)
        unit = np.pi**2 * m / (2 * m + 1) ** 2
        axes[1].errorbar(m / large if k < 1e9 else 0 * m, mean / unit, 2 * error / unit, fmt="o", ms=4, color=plots.COLOURS[index])
    x = np.linspace(0, 0.95, 200)
    axes[1].plot(x, 1 / (1 - x), "k--", lw=0.8)
    axes[0].set(xscale="log", yscale="log", xlabel="samples n", ylabel="E test")
    axes[1].set(xlabel="min(n, k) / max(n, k)", ylabel="E test / L(m, ∞)", yscale="log")
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def bands(result: fathom.Result) -> Figure:
    """Error over the number of neurons, and that of infinitely many."""
    figure, axes = panels(2)
    widths = sorted({float(plots.settings(case)["regression.band"]) for case in result.cases})
    for record, ax in enumerate(axes):
        for index, band in enumerate(widths):
            cases = [case for case in result.cases if float(plots.settings(case)["regression.band"]) == band]
            points = sorted((float(plots.settings(case)["regression.neurons"]), *column(result.finite(case), "error", record)) for case in cases)
            n, mean, error = np.array(points).T
            ax.errorbar(n, mean, 2 * error, fmt="o-", ms=4, lw=1, color=plots.COLOURS[index], label=f"band {band:g}")
            ax.axhline(column(result.leg("bandlimited-kernel", cases[0]), "error", record)[0], ls="--", lw=0.8, color=plots.COLOURS[index])
        ridge = float(result.finite(result.cases[0])["ridge"].values[record])
        ax.set(xscale="log", yscale="log", xlabel="neurons N", ylabel="E error", title=f"ridge {ridge:g}")
        ax.set_xticks(n, [f"{number:g}" for number in n], minor=False)
        ax.set_xticks([], minor=True)
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def universality(result: fathom.Result) -> Figure:
    """Measured over predicted test error, ridge by ridge."""
    figure, axes = panels(1, 5.6)
    ridges = result.finite(result.cases[0])["ridge"].values
    for record, ridge in enumerate(ridges):
        points = sorted(
            (
                float(plots.settings(case)["regression.samples"]),
                *column(result.finite(case), "test", record),
                column(result.leg("eigenframework", case), "test", record)[0],
            )
            for case in result.cases
        )
        n, mean, error, theory = np.array(points).T
        axes[0].errorbar(n, mean / theory, 2 * error / theory, fmt="o-", ms=4, lw=1, color=plots.COLOURS[record], label=f"ridge {ridge:g}")
    axes[0].axhline(1, ls="--", lw=0.8, color="black")
    axes[0].set(xscale="log", xlabel="samples n", ylabel="E test over the eigenframework")
    axes[0].set_xticks(n, [f"{number:g}" for number in n], minor=False)
    axes[0].set_xticks([], minor=True)
    axes[0].legend(frameon=False, fontsize=8)
    return figure
