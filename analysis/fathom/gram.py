"""Gram matrices that `fathom kernel` wrote."""

from pathlib import Path

import xarray as xr

from . import groups
from .result import FileError, sealed


def open_gram(path: str | Path) -> xr.DataArray:
    """Reads a Gram matrix: K over `row` and `column`, the rows of the data file, with `label` beside the rows where the job names one, and
    `prediction` and `trained` where it predicts.

    The attributes have `of`, `jitter`, `condition` and the ends of the spectrum with the jitter, which K itself does not have,
    `equal_rows`, and the `ridge` and `test_error` of a prediction. Raises
    `FileError` for a file that is missing, foreign or truncated, or that holds no Gram matrix.
    """
    path = sealed(path)
    try:
        table = groups.read(path, "kernel")
        matrix = table["K"]
    except (OSError, KeyError):
        raise FileError(f"{path} holds no Gram matrix") from None
    matrix = matrix.assign_attrs(table.attrs)
    beside = [name for name in ("label", "prediction", "trained") if name in table]
    return matrix.assign_coords({name: ("row", table[name].values) for name in beside})
