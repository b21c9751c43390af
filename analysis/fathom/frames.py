"""Results as tidy pandas tables."""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from .result import WHOLE, Result, whole
from .result import open as open_result

#: Statistics whose error does not go by their own name.
ERRORS = {"mean": "standard_error"}
COLUMNS = ("observable", "family", "statistic", "argument", "value", "error")


def sweep_frame(result: Result | str | Path, *, index: bool = False) -> pd.DataFrame:
    """Every number of every leg of every case: a row for each case, leg, point of the axis, observable and statistic.

    | column | type | what it is |
    |---|---|---|
    | `case` | text | label of the case; `main` without a sweep |
    | the swept keys, such as `network.width` | integer, float, boolean or text | their values in this case; tables and arrays as TOML text |
    | `leg`, `role` | text | name of the leg; `finite`, `limit`, `exact` or `refinement` |
    | the axis, such as `layer` or `step` | integer or float | the point that the row is about |
    | `observable`, `family` | text | `rho[0,1]` and `rho` |
    | `statistic` | text | `mean`, `standard_deviation`, `variance`, `skewness`, `kurtosis` (excess), `second_moment`, `quantile`, `count`, … |
    | `argument` | float | level of a quantile; NaN of other statistics |
    | `value`, `error` | float | the number and its standard error; NaN where no error is known |

    What a leg says nothing of has no row. Legs of different axes have a column each, with gaps. `index`: everything but `value` and
    `error` becomes the index, with `case`, `role` and `family` left out: they follow from the rest.

    `frame.query("statistic == 'mean' and observable == 'rho[0,1]'").pivot(index="network.width", columns="leg", values="value")`
    """
    if not isinstance(result, Result):
        result = open_result(result)
    parts: list[pd.DataFrame] = []
    axes: list[str] = []
    # One opening of the file and no more than is needed of it: xarray takes a tenth of a second a leg.
    with h5py.File(result.path) as file:
        for case in result.cases:
            swept = result.swept(case)
            for name in result.legs(case):
                leg = file[f"cases/{case}/{name}"]
                axis = next((dim for dim in _dims(leg["mean"]) if dim != "observable"), None) if "mean" in leg else None
                if axis is None:
                    continue
                axes += [axis] if axis not in axes else []
                part = _rows(leg, axis)
                for place, (key, value) in enumerate([("case", case), *swept.items(), ("leg", name), ("role", str(leg.attrs["role"]))]):
                    part.insert(place, key, value)
                parts.append(part)
    keys = list(result.swept(result.cases[0]))
    order = ["case", *keys, "leg", "role", *axes, *COLUMNS]
    frame = pd.concat(parts, ignore_index=True)[order] if parts else pd.DataFrame(columns=order)
    for axis in axes:
        # A gap, where legs have different axes, makes integers floats.
        if len(axes) > 1 and all(part[axis].dtype.kind == "i" for part in parts if axis in part):
            frame[axis] = frame[axis].astype("Int64")
    if index:
        frame = frame.drop(columns=["case", "role", "family"]).set_index([*keys, "leg", *axes, "observable", "statistic", "argument"])
    return frame


def _dims(table: h5py.Dataset) -> tuple[str, ...]:
    """Names of the axes of a table."""
    # The scale says its name; HDF5 would look for its path in the whole file.
    return tuple(next(iter(scale.keys()), "") for scale in table.dims)


def _rows(leg: h5py.Group, axis: str) -> pd.DataFrame:
    """The statistics of a leg over its axis and observables."""
    over = (axis, "observable")
    tables = {name: table for name, table in leg.items() if table.ndim >= 2 and table.dtype.kind in "iuf"}
    errors = {name: ERRORS.get(name, f"{name}_error") for name in tables}
    statistics = [name for name in tables if name not in errors.values() and _dims(tables[name]) in (over, (*over, "quantile_level"))]
    names = leg["observable"].asstr()[()]
    families = leg["family"].asstr()[()] if "family" in leg else np.array([name.partition("[")[0] for name in names])
    points = whole(leg[axis][()]) if axis in WHOLE else leg[axis][()]
    parts = []
    for statistic in sorted(statistics, key=lambda name: (name != "mean", name)):
        value = tables[statistic][()].astype("float64")
        error = tables[errors[statistic]][()].astype("float64") if errors[statistic] in tables else np.full_like(value, np.nan)
        arguments = leg["quantile_level"][()] if value.ndim == 3 else np.array([np.nan])
        point, observable, argument = (grid.ravel() for grid in np.indices((*value.shape[:2], len(arguments))))
        part = pd.DataFrame(
            {
                axis: points[point], "observable": names[observable], "family": families[observable], "statistic": statistic,
                "argument": arguments[argument], "value": value.ravel(), "error": error.ravel(),
            }
        )  # fmt: skip
        parts.append(part[part["value"].notna()])
    return pd.concat(parts, ignore_index=True)
