"""Two sets of draws against each other, by the program's own tests: `fathom.compare`."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from .jobs import Job
from .launch import run
from .result import Comparison
from .rows import Axis, samples


def compare(
    a: Any,
    b: Any,
    *,
    tolerance: float | Mapping[str, float] | None = None,
    alpha: float | None = None,
    axis: Axis | None = None,
    program: str | Path | None = None,
) -> Comparison:
    """Whether two sets of draws have the same law up to a tolerance, by the rules of docs/verdicts.md: the program decides.

    `a`, `b`: draws along the first axis. Further axes of an array are indices: (draws, 2, 2) is `x[0,0]`, `x[0,1]`, … . Or what
    `fathom.samples` takes: a dict, a Dataset, a DataFrame, a path of Parquet; a DataArray is a Dataset of its own name. `b` is the
    reference. The numbers of draws may differ, the observables may not.
    `tolerance`: largest difference that counts as the same, of means in standard deviations and of laws in Kolmogorov-Smirnov distance; or
    `{"mean": 0.05, "ks": 0.02}`. `alpha`: probability of a false statement among all rows. Defaults: those of `[comparison]`.

    Returns the verdict, its sentence and a table with a row a statistic: `z`, `ks_distance`, `margin`, `reason`, `smallest_effect`,
    `missing_draws`, … .
    Raises `ValueError` for draws that are none, `RunError` if the program refuses.
    """
    table: dict[str, float] = dict(tolerance) if isinstance(tolerance, Mapping) else {}
    if set(table) - {"mean", "ks"}:
        raise ValueError(f"tolerance = {dict(table)}: takes mean and ks")
    if isinstance(tolerance, int | float):
        table = {"mean": tolerance, "ks": tolerance}
    with tempfile.TemporaryDirectory(prefix="fathom-") as folder:
        sides: dict[str, Path] = {}
        for name, data in (("a", a), ("b", b)):
            try:
                sides[name] = samples(Path(folder) / f"{name}.h5", _named(data), axis=axis)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        job = _job(sides["a"], sides["b"], table | ({} if alpha is None else {"alpha": alpha}))
        result = run(job, output=Path(folder) / "comparison.h5", program=program, progress=False)
        # Tables are in memory when the folder goes.
        return result.comparisons()[0]


def _named(data: Any) -> Any:
    """An array as observables: its indices are theirs."""
    if isinstance(data, xr.DataArray):
        return data.to_dataset(name=str(data.name or "x"))
    if isinstance(data, Mapping | xr.Dataset | pd.DataFrame | str | Path):
        return data
    array = np.asarray(data)
    if array.ndim == 0:
        raise ValueError("a number is no set of draws")
    if array.ndim == 1:
        return {"x": array}
    return {f"x[{','.join(map(str, place))}]": array[(slice(None), *place)] for place in np.ndindex(*array.shape[1:])}


def _job(a: Path, b: Path, comparison: Mapping[str, float]) -> Job:
    """The job: legs that are read from files."""
    return {
        "title": "a against b", "seed": 0, "samples": {"file": str(a)}, "limit": [{"equation": "samples", "file": str(b)}],
        "comparison": dict(comparison),
    }  # fmt: skip
