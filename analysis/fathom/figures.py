"""The figures of a report: each drawn by `plots`, with the numbers that it shows."""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from . import plots
from .result import Result

Column = list[Any]

#: Panels of one kind at most; sweeps of hundreds of cases would make a page that nobody can load.
MOST = 12
#: What particle systems report of themselves, which is no observable of the law.
OWN = ("acceptance", "step_size")


@dataclass
class Drawing:
    """A figure of the report: what draws it, its caption, and its numbers as columns."""

    name: str
    section: str
    caption: str
    #: Called with the keyword `ax`.
    draw: Callable[..., Any]
    table: dict[str, Column]
    small: bool = False


def _named(result: Result, case: str) -> str:
    return "" if len(result.cases) == 1 else f" ({plots.short(case)})"


def _tag(result: Result, case: str) -> str:
    """The end of a figure's name that tells cases apart."""
    return "" if len(result.cases) == 1 else f"-{plots.short(case)}"


def _main(leg: xr.Dataset) -> list[str]:
    """The observables that are shown first: a correlation, a norm, then what else there is."""
    names = [str(name) for name in leg.observable.values]
    first = [n for n in ("rho[0,1]", "log_V[0]", "q[0,1]", "log_lambda[0]", "x", "|m|", "energy") if n in names]
    rest = [n for n in names if n not in first and n not in OWN and not n.startswith("V[")]
    return (first + rest)[:4]


def _cases(result: Result) -> list[str]:
    """The first and the last case, and some between."""
    count = len(result.cases)
    return [result.cases[i] for i in sorted({round(k * (count - 1) / 3) for k in range(4)})]


def densities(result: Result) -> Iterator[Drawing]:
    for case in _cases(result):
        finite = result.finite(case)
        if "density" not in finite or finite.attrs.get("role") != "finite" or "replica" in finite.dims:
            continue
        for name in _main(finite):
            one = finite.sel(observable=name).isel({plots.axis_of(finite): -1})
            edges = one.density_edge.values
            if not np.all(np.isfinite(edges)) or edges[0] == edges[-1]:
                continue
            table = {"from": list(edges[:-1]), "to": list(edges[1:]), "finite": list(one.density.values)}
            yield Drawing(
                f"density-{name}{_tag(result, case)}", "Laws", f"Density of {name} at the last layer{_named(result, case)}.",
                partial(plots.plot_density, result, name, case=case), table,
            )  # fmt: skip
            for reference, leg in result.references(case).items():
                if "quantile" not in leg or name not in leg.observable.values:
                    continue
                other = leg.sel(observable=name).isel({plots.axis_of(leg): -1})
                yield Drawing(
                    f"quantiles-{name}-{reference}{_tag(result, case)}", "Laws",
                    f"Quantiles of {name}, finite against {reference}{_named(result, case)}; bars: two standard errors.",
                    partial(plots.plot_quantiles, result, name, reference, case=case),
                    {
                        "level": list(one.quantile_level.values), "finite": list(one["quantile"].values),
                        "finite error": list(one["quantile_error"].values), reference: list(other["quantile"].values),
                    },
                )  # fmt: skip


def depths(result: Result) -> Iterator[Drawing]:
    case = result.cases[-1]
    finite = result.finite(case)
    axis = plots.axis_of(finite)
    if finite.sizes[axis] < 2:
        return
    curves = [n for n in finite.observable.values if str(n).endswith(("loss", "accuracy"))]
    several = axis == "step" and len(result.cases) > 1
    for name in [str(n) for n in curves] or _main(finite):

        def draw(ax: Axes, name: str = name) -> None:
            if several:
                plots.plot_curves(result, name, cases=_cases(result), ax=ax)
                return
            plots.plot_depth(finite, name, label="finite", color=plots.COLOURS[0], ax=ax)
            for index, (other, leg) in enumerate(result.references(case).items()):
                if name in leg.observable.values and np.isfinite(leg["mean"].sel(observable=name)).any():
                    colour = plots.COLOURS[(1 + index) % len(plots.COLOURS)]
                    plots.plot_depth(leg, name, label=other, color=colour, ls="--", ax=ax)
            if name.endswith("loss"):
                ax.set_yscale("log")
            ax.legend(frameon=False, fontsize=8)

        one = finite.sel(observable=name)
        table = {axis: list(one[axis].values), "mean": list(one["mean"].values)}
        table["standard error"] = list(one["standard_error"].values)
        what = f"over {axis}s" if axis == "step" else "over depth"
        place = "" if several else _named(result, case)
        yield Drawing(
            f"depth-{name}", "Over depth" if axis == "layer" else "Over the run",
            f"Mean of {name} {what}{place}; bands: two standard errors.", draw, table,
        )  # fmt: skip


def distances(result: Result) -> Iterator[Drawing]:
    for comparison in result.comparisons()[:MOST]:
        table = comparison.table
        known = np.isfinite(table["ks_distance"].values)
        if len(set(table["layer"].values[known])) > 1:
            yield Drawing(
                f"ks-{comparison.case}-{comparison.reference}", "Over depth",
                f"Kolmogorov-Smirnov distance to {comparison.reference} over depth{_named(result, comparison.case)}.",
                partial(plots.plot_ks, comparison),
                {k: list(table[k].values[known]) for k in ("observable", "layer", "ks_distance", "ks_p_value")},
            )  # fmt: skip


def _numeric(result: Result) -> dict[str, set[float]]:
    """The swept keys whose values are numbers, with these."""
    swept = [plots.settings(case) for case in result.cases]
    found: dict[str, set[float]] = {}
    for key in dict.fromkeys(key for setting in swept for key in setting):
        with contextlib.suppress(ValueError):
            found[key] = {float(setting[key]) for setting in swept if key in setting}
    return {key: values for key, values in found.items() if len(values) > 1}


def sweeps(result: Result) -> Iterator[Drawing]:
    for key in _numeric(result):
        finite = result.finite(result.cases[0])
        names = [n for n in [*_main(finite), *map(str, finite.observable.values)] if n not in OWN]
        for name in list(dict.fromkeys(names))[:6]:
            rows = [
                (case, leg.sel(observable=name).isel({plots.axis_of(leg): -1}))
                for case, leg in ((c, result.finite(c)) for c in result.cases)
                if name in leg.observable.values
            ]
            yield Drawing(
                f"sweep-{key}-{name}", "Over the sweep",
                f"Mean of {name} at the end against {key.split('.')[-1]}; bars: two standard errors, dashes: the limit.",
                partial(plots.plot_sweep, result, key, name),
                {
                    "case": [plots.short(case) for case, _ in rows], "mean": [float(r["mean"]) for _, r in rows],
                    "standard error": [float(r["standard_error"]) for _, r in rows],
                },
            )  # fmt: skip


def phases(result: Result) -> Iterator[Drawing]:
    """Two swept keys with three values or more each, in every combination."""
    numeric = {key: values for key, values in _numeric(result).items() if len(values) > 2}
    for x, y in itertools.combinations(numeric, 2):
        settings = {case: plots.settings(case) for case in result.cases}
        points = {(s.get(x), s.get(y)) for s in settings.values()}
        if len(points) < len(numeric[x]) * len(numeric[y]):
            continue
        for name in _main(result.finite(result.cases[0]))[:2]:
            legs = {case: result.finite(case) for case in result.cases}
            rows = [(settings[c], leg.sel(observable=name).isel({plots.axis_of(leg): -1})) for c, leg in legs.items()]
            yield Drawing(
                f"phase-{x}-{y}-{name}", "Phase diagrams", f"Mean of {name} at the end over {x.split('.')[-1]} and {y.split('.')[-1]}.",
                partial(plots.plot_phase, result, x, y, name),
                {
                    x: [s[x] for s, _ in rows], y: [s[y] for s, _ in rows], "mean": [float(r["mean"]) for _, r in rows],
                    "standard error": [float(r["standard_error"]) for _, r in rows],
                },
            )  # fmt: skip


def orders(result: Result) -> Iterator[Drawing]:
    rows = plots.order_rows(result)
    if len({row["c"] for row in rows}) > 1 and len({row["bias"] for row in rows}) > 1:
        yield Drawing(
            "order-chaos", "Phase diagrams",
            "Rate at which two inputs draw together (blue) or apart (red), a layer; line: chi_perp = 1; marks: whether it is that of infinite width.",
            partial(plots.plot_order, result), {key: [row[key] for row in rows] for key in rows[0]},
        )  # fmt: skip


def laws(result: Result) -> Iterator[Drawing]:
    """Powers over depth."""
    parts = [p for p in (result.report().get("exponents", []) if result.finished else []) if p["law"] == "power"]
    for part in parts[:MOST]:
        label = next((case for case in result.cases if case == part["case"]), None)
        for row in part["rows"][:4]:
            kind = {"mean": ("mean", "standard_error"), "variance": ("variance", "variance_error")}[row["statistic"]]
            if part["swept"] == "yes":
                inside = set(plots.settings(part["case"]).items())
                legs = [result.finite(case) for case in result.cases if inside <= set(plots.settings(case).items())]
            else:
                legs = [result.finite(label)]
            points = []
            for leg in legs:
                if row["observable"] not in leg.observable.values or not all(name in leg for name in kind):
                    continue
                one = leg.sel(observable=row["observable"])
                places = range(one.sizes["layer"]) if part["swept"] == "no" else [one.sizes["layer"] - 1]
                points += [tuple(float(one[name].values[k]) for name in ("layer", *kind)) for k in places]
            points = sorted(p for p in points if row["first"] <= p[0] <= row["last"])
            if len(points) < 2:
                continue
            values = tuple(np.array(points).T)
            yield Drawing(
                f"law-{row['quantity']}{'-' + plots.short(part['case']) if part['case'] not in ('', 'main') else ''}", "Over depth",
                f"{row['quantity']} over depth and its power{_named(result, part['case']) if label else ''}; bars: two standard errors.",
                partial(plots.plot_law, part, row["quantity"], values),
                {"depth": list(values[0]), "value": list(values[1]), "standard error": list(values[2])},
            )  # fmt: skip


def informations(result: Result) -> Iterator[Drawing]:
    if not result.finished:
        return
    for entry in result.report()["cases"][:MOST]:
        rows = [row for part in entry.get("estimands", []) for row in part["rows"] if row["quantity"] == "information[0]"]
        if len(rows) < 2:
            continue
        yield Drawing(
            f"information{_tag(result, entry['label'])}", "Over depth",
            f"What groups of units tell of each other{_named(result, entry['label'])}; bars: two standard errors.",
            partial(plots.plot_information, result, case=entry["label"]),
            {key: [row[key] for row in rows] for key in ("layer", "value", "error")},
        )  # fmt: skip


def extrapolations(result: Result) -> Iterator[Drawing]:
    if not result.finished:
        return
    for fit in result.report().get("finite_size", []):
        name = fit["key"].split(".")[-1]
        for row in fit["rows"][:4]:
            widths = np.array(row["sizes"], dtype=float)
            means = []
            for size, place in zip(row["sizes"], row["layers"], strict=True):
                # The label says what the cases of a fit have in common, but for ratios; where that is not enough nothing is drawn.
                cases = [
                    case
                    for case in result.cases
                    if plots.settings(case).get(fit["key"]) in (str(size), str(float(size)))
                    and all(f"{key}={value}" in fit["label"] for key, value in plots.settings(case).items() if f"{key}=" in fit["label"])
                ]
                leg = result.finite(cases[0]) if len(cases) == 1 else None
                if leg is None or row["observable"] not in leg.observable.values:
                    break
                axis = plots.axis_of(leg)
                record = -1 if place is None else int(np.argmin(np.abs(leg[axis].values - place)))
                one = leg.sel(observable=row["observable"]).isel({axis: record})
                means.append((float(one["mean"]), float(one["standard_error"])))
            if row["statistic"] != "mean" or len(means) < len(widths):
                continue
            y, error = np.array(means).T

            def draw(ax: Axes, row: dict[str, Any] = row, widths: Any = widths, y: Any = y, error: Any = error, name: str = name) -> None:
                ax.errorbar(1 / widths, y, 2 * error, fmt="o", ms=4, color=plots.COLOURS[0], label="finite")
                end, bar = row["reference"] + row["difference"], 2 * row["difference_error"]
                ax.errorbar([0], [end], [bar], fmt="s", ms=5, color=plots.COLOURS[2], label="extrapolated")
                ax.axhline(row["reference"], color=plots.COLOURS[1], lw=1.2, ls="--", label="limit")
                ax.set(xlabel=f"1 / {name}", ylabel=f"E {row['observable']}")
                ax.legend(frameon=False, fontsize=8)

            yield Drawing(
                f"size-{fit['reference']}-{row['observable']}", "Finite-size scaling",
                f"{row['observable']} against 1/{name} and its limit, {fit['reference']}: z = {row['z'] or float('nan'):.2f}.",
                draw, {name: list(widths), "mean": list(y), "standard error": list(error)},
            )  # fmt: skip


def biases(result: Result) -> Iterator[Drawing]:
    if not result.has_bias:
        return
    for table in result.bias()[:MOST]:
        last = table.isel(row=table["step"].values == table["step"].values.max())
        columns = (
            "observable",
            "value",
            "value_error",
            "number_bias",
            "number_bias_error",
            "step_bias",
            "step_bias_error",
        )
        yield Drawing(
            f"bias-{table.attrs['case']}", "Bias",
            f"Bias in N and in h against the Monte Carlo error{_named(result, table.attrs['case'])}. {table.attrs['sentence']}",
            partial(plots.plot_bias, last), {k: list(last[k].values) for k in columns},
        )  # fmt: skip


def marginals(result: Result) -> Iterator[Drawing]:
    for case in _cases(result):
        leg = result.finite(case)
        if "marginal_density" not in leg:
            continue
        for index, name in enumerate(str(n) for n in leg.marginal.values[:2]):
            edges, density = leg["marginal_edge"].values[index], leg["marginal_density"].values[index]
            # A run under way has counted nothing before its first replica is finished.
            if not np.isfinite(edges).all():
                continue

            def draw(ax: Axes, edges: Any = edges, density: Any = density, name: str = name) -> None:
                ax.stairs(density, edges, fill=True, color=plots.COLOURS[0], alpha=0.5)
                ax.set(xlabel=name, ylabel="density", ylim=(0, None))

            yield Drawing(
                f"marginal-{name}{_tag(result, case)}", "Laws", f"Law of {name} of one particle, over the run{_named(result, case)}.", draw,
                {"from": list(edges[:-1]), "to": list(edges[1:]), "density": list(density)},
            )  # fmt: skip


def films(result: Result) -> Iterator[Drawing]:
    frames = sorted({round(k * (result.frames - 1) / 5) for k in range(6)}) if result.frames else []
    for frame in frames:
        time, x = result.frame(frame)
        yield Drawing(
            f"film-{frame}", "Film", f"The kept particles at t = {time:g}.",
            partial(plots.plot_film, result, frame),
            {"particle": list(range(len(x))), "x": list(x[:, 0]), "y": list(x[:, 1])}, small=True,
        )  # fmt: skip


def all_drawings(result: Result) -> Iterator[Drawing]:
    """Every figure that the file has the numbers for, each with a name of its own."""
    seen: dict[str, int] = {}
    for make in (densities, marginals, depths, distances, sweeps, phases, orders, laws, informations, extrapolations, biases, films):
        for drawing in make(result):
            seen[drawing.name] = seen.get(drawing.name, 0) + 1
            if seen[drawing.name] > 1:
                drawing.name += f"-{seen[drawing.name]}"
            yield drawing
