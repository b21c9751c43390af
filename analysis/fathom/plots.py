"""Drawings of results with matplotlib. Every function draws into the given axes, or the current ones, and returns them."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from .result import Comparison, FileError, Result, lacks, settings

INK, RULE = "#1f2328", "#d0d7de"
COLOURS = ("#1f6feb", "#cf222e", "#1a7f37", "#8250df", "#bf8700", "#0a7d91", "#a0406b", "#57606a")


def axis_of(leg: xr.Dataset) -> str:
    """`layer` of networks, `step` of particle systems, `ridge` of regressions."""
    return next(str(name) for name in ("layer", "step", *leg["mean"].dims) if name in leg.dims and name != "observable")


def _select(leg: xr.Dataset, observable: str) -> xr.Dataset:
    names = [str(name) for name in leg.observable.values]
    if observable not in names:
        raise FileError(lacks("the leg has no", names, observable))
    return leg.sel(observable=observable)


def plot_depth(
    leg: xr.Dataset,
    observable: str,
    *,
    band: str = "error",
    label: str | None = None,
    ax: Axes | None = None,
    **style: Any,
) -> Axes:
    """The mean of an observable over depth, or over the steps of a particle system.

    `band`: "error" for two standard errors, "quantile" for the middle nine tenths of the draws, "none".
    """
    ax = ax or plt.gca()
    one = _select(leg, observable)
    x = one[axis_of(leg)].values
    (line,) = ax.plot(x, one["mean"], label=label, **style)
    low = high = None
    if band == "error" and "standard_error" in one:
        low, high = one["mean"] - 2 * one["standard_error"], one["mean"] + 2 * one["standard_error"]
    elif band == "quantile" and "quantile" in one:
        low, high = (one["quantile"].sel(quantile_level=level, method="nearest") for level in (0.05, 0.95))
    if low is not None and high is not None:
        ax.fill_between(x, low, high, color=line.get_color(), alpha=0.25, lw=0)
    ax.set(xlabel=axis_of(leg), ylabel=f"E {observable}")
    return ax


def plot_density(result: Result, observable: str, *, case: str | None = None, layer: int = -1, ax: Axes | None = None) -> Axes:
    """Densities of an observable, finite (filled) against the limits that were sampled (lines); `layer` by position."""
    ax = ax or plt.gca()
    one = _select(result.finite(case), observable)
    one = one.isel({axis_of(one): layer})
    if "density" not in one:
        raise FileError("the leg has no densities")
    edges, density = one.density_edge.values, one.density.values
    ax.stairs(density, edges, fill=True, color=COLOURS[0], alpha=0.35, label="finite")
    for index, (name, leg) in enumerate(result.references(case).items()):
        if "density" in leg and observable in leg.observable.values:
            other = leg.sel(observable=observable).isel({axis_of(leg): layer})
            ax.stairs(other.density.values, other.density_edge.values, color=COLOURS[1 + index], lw=1.6, label=name)
    ax.set(xlabel=f"{observable} at {axis_of(result.finite(case))} {int(one[axis_of(result.finite(case))])}")
    ax.set(ylabel="density", ylim=(0, None))
    ax.legend(frameon=False, fontsize=8)
    return ax


def plot_quantiles(result: Result, observable: str, reference: str, *, case: str | None = None, ax: Axes | None = None) -> Axes:
    """Quantiles of the finite leg against those of a limit, with two standard errors, at the last layer."""
    ax = ax or plt.gca()
    finite, other = _select(result.finite(case), observable), _select(result.leg(reference, case), observable)
    if "quantile" not in finite or "quantile" not in other:
        raise FileError(f"{reference} was not sampled: it has no quantiles")
    finite, other = (leg.isel({axis_of(leg): -1}) for leg in (finite, other))
    x, y = other["quantile"].values, finite["quantile"].values
    ax.errorbar(
        x,
        y,
        2 * finite["quantile_error"].values,
        2 * other["quantile_error"].values,
        fmt="o",
        ms=3,
        lw=1,
        color=COLOURS[0],
    )
    ends = [min(x.min(), y.min()), max(x.max(), y.max())]
    ax.plot(ends, ends, color=RULE, lw=1, zorder=0)
    ax.set(xlabel=f"quantiles of {observable}, {reference}", ylabel="finite")
    return ax


def plot_ks(comparison: Comparison, *, ax: Axes | None = None) -> Axes:
    """Kolmogorov-Smirnov distances over depth, a line an observable."""
    ax = ax or plt.gca()
    table = comparison.table
    for index, name in enumerate(dict.fromkeys(str(n) for n in table["observable"].values)):
        rows = (table["observable"].values == name) & np.isfinite(table["ks_distance"].values)
        if rows.any():
            x, y = table["layer"].values[rows], table["ks_distance"].values[rows]
            ax.plot(x, y, "o-", ms=3, color=COLOURS[index % len(COLOURS)], label=name)
    ax.set(xlabel="layer", ylabel=f"KS distance to {comparison.reference}", ylim=(0, None))
    ax.legend(frameon=False, fontsize=8)
    return ax


def plot_bias(bias: xr.Dataset, *, ax: Axes | None = None) -> Axes:
    """Bias in N and in h of every observable in units of its value's error, with the errors of the biases."""
    ax = ax or plt.gca()
    names = [str(n) for n in bias["observable"].values]
    scale = bias["value_error"].values
    for shift, key, colour, label in (
        (-0.18, "number_bias", COLOURS[0], "in N"),
        (0.18, "step_bias", COLOURS[1], "in h"),
    ):
        place = np.arange(len(names)) + shift
        y, error = bias[key].values / scale, 2 * bias[f"{key}_error"].values / scale
        ax.errorbar(place, y, error, fmt="o", ms=4, color=colour, label=label)
    ax.axhspan(-2, 2, color=RULE, alpha=0.5, lw=0, label="2 Monte Carlo errors")
    ax.set_xticks(range(len(names)), names, rotation=30, ha="right")
    ax.set(ylabel="bias / standard error of the value")
    ax.legend(frameon=False, fontsize=8)
    return ax


def plot_curves(result: Result, observable: str, *, cases: Sequence[str] | None = None, ax: Axes | None = None) -> Axes:
    """An observable over the steps, or over depth, a line a case, with two standard errors."""
    ax = ax or plt.gca()
    cases = result.cases if cases is None else cases
    for index, case in enumerate(cases):
        label = None if len(cases) == 1 else short(case)
        plot_depth(result.finite(case), observable, label=label, color=COLOURS[index % len(COLOURS)], ax=ax)
    if observable.endswith("loss"):
        ax.set_yscale("log")
    if len(cases) > 1:
        ax.legend(frameon=False, fontsize=8)
    return ax


def short(case: str) -> str:
    """A case's label without the tables of its keys."""
    return ", ".join(f"{key.split('.')[-1]} {value}" for key, value in settings(case).items()) or case


def plot_sweep(result: Result, key: str, observable: str, *, ax: Axes | None = None) -> Axes:
    """An observable at the end against a swept key, a line for every setting of the other keys, limits as dashes."""
    ax = ax or plt.gca()
    lines: dict[str, list[tuple[float, float, float]]] = {}
    limits: dict[tuple[str, float], float] = {}
    # Keys that move together with the swept one do not tell lines apart.
    every = [settings(case) for case in result.cases]
    tied = {k for s in every for k in s if len({(s.get(key), s.get(k)) for s in every}) == len({s.get(key) for s in every})}
    for case, swept in zip(result.cases, every, strict=True):
        leg = result.finite(case)
        if key not in swept or observable not in leg.observable.values:
            continue
        rest = ", ".join(f"{k.split('.')[-1]} {v}" for k, v in swept.items() if k not in tied)
        one = leg.sel(observable=observable).isel({axis_of(leg): -1})
        lines.setdefault(rest, []).append((float(swept[key]), float(one["mean"]), float(one["standard_error"])))
        for other in result.references(case).values():
            if other.attrs["role"] == "limit" and observable in other.observable.values:
                value = float(other.sel(observable=observable).isel({axis_of(other): -1})["mean"])
                if np.isfinite(value):
                    limits[rest, float(swept[key])] = value
    if not lines:
        raise FileError(f"{result.path} has no sweep over {key} with {observable}")
    for index, (rest, points) in enumerate(lines.items()):
        x, y, error = np.array(sorted(points)).T
        colour, line = COLOURS[index % len(COLOURS)], ("-", ":")[index // len(COLOURS) % 2]
        ax.errorbar(x, y, 2 * error, fmt="o", ls=line, ms=3, lw=1, color=colour, label=rest or "finite")
        known = sorted((x, value) for (name, x), value in limits.items() if name == rest)
        if known:
            ax.plot(*zip(*known, strict=True), "--", lw=1, color=colour)
    if max(x) > 8 * max(min(x), 1e-300):
        ax.set_xscale("log")
    ax.set(xlabel=key.split(".")[-1], ylabel=f"E {observable}")
    ax.legend(frameon=False, fontsize=8)
    return ax


def plot_phase(result: Result, x: str, y: str, observable: str, *, ax: Axes | None = None) -> Axes:
    """A phase diagram: an observable at the end, as a colour over two swept keys, where the other keys have their first values."""
    ax = ax or plt.gca()
    values: dict[tuple[float, float], float] = {}
    for case in result.cases:
        swept, leg = settings(case), result.finite(case)
        if x in swept and y in swept and observable in leg.observable.values:
            one = leg.sel(observable=observable).isel({axis_of(leg): -1})
            values.setdefault((float(swept[x]), float(swept[y])), float(one["mean"]))
    if not values:
        raise FileError(f"{result.path} has no sweep over {x} and {y} with {observable}")
    across, up = (sorted({point[k] for point in values}) for k in (0, 1))
    grid = np.array([[values.get((a, b), np.nan) for a in across] for b in up])
    mesh = ax.pcolormesh(range(len(across)), range(len(up)), grid, cmap="viridis", shading="nearest")
    ax.set_xticks(range(len(across)), [f"{a:g}" for a in across])
    ax.set_yticks(range(len(up)), [f"{b:g}" for b in up])
    ax.set(xlabel=x.split(".")[-1], ylabel=y.split(".")[-1])
    ax.figure.colorbar(mesh, ax=ax, label=f"E {observable}")
    return ax


def plot_order(result: Result, *, ax: Axes | None = None) -> Axes:
    """Order and chaos: the rate at which two inputs draw together or apart, as a colour over gain and biases, with the line between the phases.

    Marks: ✓ where the rate is that of infinite width, ✗ where it is not, ? where it is undecided. The line and those rates are what the file has
    (attribute `critical_line`, table `exponents`).
    """
    ax = ax or plt.gca()
    rows = order_rows(result)
    if not rows:
        raise FileError(f"{result.path} has no rates of log_distance over network.c and network.bias")
    across, up = (sorted({row[k] for row in rows}) for k in ("c", "bias"))
    grid = np.full((len(up), len(across)), np.nan)
    for row in rows:
        grid[up.index(row["bias"]), across.index(row["c"])] = row["rate"]
    reach = np.nanmax(np.abs(grid))
    mesh = ax.pcolormesh(across, up, grid, cmap="RdBu_r", vmin=-reach, vmax=reach, shading="nearest")
    limits = ax.get_xlim(), ax.get_ylim()
    for row in rows:
        ax.text(row["c"], row["bias"], {"agrees": "✓", "differs": "✗"}.get(row["verdict"], "?"), ha="center", va="center", fontsize=8)
    line = critical_line(result)
    if line:
        ax.plot([c for c, _ in line], [np.sqrt(b) for _, b in line], color=INK, lw=1.5, label="chi_perp = 1")
        ax.legend(frameon=False, fontsize=8, loc="lower right")
    ax.set(xlabel="c", ylabel="bias", xlim=limits[0], ylim=limits[1])
    ax.figure.colorbar(mesh, ax=ax, label="rate a layer")
    return ax


def order_rows(result: Result) -> list[dict[str, Any]]:
    """One for every case that has a rate of log_distance and sweeps gain and biases: c, bias, rate, error, known, verdict."""
    found = []
    for part in result.report().get("exponents", []) if result.finished else []:
        swept = settings(part["case"])
        if part["law"] != "rate" or not {"network.c", "network.bias"} <= swept.keys():
            continue
        for row in part["rows"]:
            if row["observable"] == "log_distance[0,1]":
                found.append({
                    "c": float(swept["network.c"]), "bias": float(swept["network.bias"]), "rate": row["exponent"],
                    "error": row["exponent_error"], "known": row["known"], "verdict": row["verdict"],
                })  # fmt: skip
    return found


def critical_line(result: Result) -> list[tuple[float, float]]:
    """C_W and C_b where chi_perp = 1, of the last case, which knows the line the furthest; empty where the file does not say."""
    text = str(result.finite(result.cases[-1]).attrs.get("critical_line", ""))
    pairs = [part.split() for part in text.split(",") if part.strip()]
    return [(float(c), float(b)) for c, b in pairs]


def plot_law(part: dict[str, Any], quantity: str, values: tuple[Any, Any, Any], *, ax: Axes | None = None) -> Axes:
    """A quantity over depth with its power law; `part` is one of the report's `exponents`, `values` are depths, values and errors."""
    ax = ax or plt.gca()
    row = next(r for r in part["rows"] if r["quantity"] == quantity)
    x, y, error = values
    ax.errorbar(x, y, 2 * error, fmt="o", ms=4, color=COLOURS[0], label="finite")
    if row["exponent_error"] is not None:
        # Through the last point: the constant of the file is that of infinite depth.
        ax.plot(x, y[-1] * (x / x[-1]) ** row["exponent"], color=COLOURS[1], lw=1, label=f"depth^{row['exponent']:.2f}")
    if row["known"] is not None and row["known_constant"] is not None:
        ax.plot(x, row["known_constant"] * x ** row["known"], color=COLOURS[2], lw=1, ls="--", label="known")
    ax.set(xscale="log", yscale="log", xlabel="depth", ylabel=quantity)
    ax.legend(frameon=False, fontsize=8)
    return ax


def plot_information(result: Result, *, case: str | None = None, place: int = 0, ax: Axes | None = None) -> Axes:
    """What groups of units tell of each other over depth: the information, its series to the third order, and the leading order of a limit."""
    ax = ax or plt.gca()
    case = case or result.cases[0]
    own = next(entry for entry in result.report()["cases"] if entry["label"] == case)
    for index, (name, label) in enumerate((("information", "information"), ("information_series", "to the third order"))):
        rows = [row for part in own.get("estimands", []) for row in part["rows"] if row["quantity"] == f"{name}[{place}]"]
        if not rows:
            raise FileError(f"{result.path} has no {name}[{place}]: the job has no [information]")
        x, y, error = (np.array([row[k] for row in rows], dtype=float) for k in ("layer", "value", "error"))
        seen = y > 0
        ax.errorbar(x[seen], y[seen], 2 * error[seen], fmt="o-", ms=3, lw=1, color=COLOURS[index], label=label)
    known = [(row["layer"], row["reference"]) for part in own["comparisons"] for row in part["rows"] if row["quantity"] == f"information[{place}]"]
    if known:
        ax.plot(*zip(*known, strict=True), "--", lw=1, color=COLOURS[2], label="leading order")
    ax.set(xscale="log", yscale="log", xlabel="layer", ylabel="information [nat]")
    ax.legend(frameon=False, fontsize=8)
    return ax


def plot_film(result: Result, frame: int, *, ax: Axes | None = None) -> Axes:
    """The kept particles at a frame: points in the plane, or a histogram of one coordinate."""
    ax = ax or plt.gca()
    time, x = result.frame(frame)
    if np.any(x[:, 1] != 0):
        ax.plot(x[:, 0], x[:, 1], "o", ms=2.5, color=COLOURS[0])
        ax.set_aspect("equal")
    else:
        ax.hist(x[:, 0], bins="auto", color=COLOURS[0], alpha=0.6)
    ax.set(title=f"t = {time:g}", xlabel="x")
    return ax
