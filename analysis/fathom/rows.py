"""Draws that were made elsewhere, written for the program: `fathom.samples`."""

import contextlib
import csv
import importlib.util
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import xarray as xr

#: Names that are no observables.
CHAIN, AXIS = "chain", "axis"
Axis = str | tuple[str, Sequence[float]]


@dataclass
class Rows:
    """Draws of observables: arrays (draws,) or (draws, points of the axis), checked and of one length."""

    observables: dict[str, np.ndarray]
    axis: str = ""
    points: np.ndarray = field(default_factory=lambda: np.empty(0))
    chain: np.ndarray | None = None


def samples(path: str | Path, data: Any, *, axis: Axis | None = None, chain: Any = None) -> Path:
    """Writes draws that were made elsewhere as a file that a job reads as a leg; returns the path. HDF5, or CSV where `path` ends in .csv.

    `data` has a row a draw, and is one of
    - a dict of arrays, named as the program names observables (`"V[0,0]"`, `"rho[0,1]"`): (draws,), or (draws, points of the axis);
    - an xarray Dataset with a dimension `draw`, perhaps one `chain`, and the axis; further dimensions are indices of the observable,
      in their order: `V(draw, layer, a, b)` becomes `V[0,0]`, `V[0,1]`, …
    - a pandas DataFrame with a column `name`, or `name@8` for the point 8 of the axis; its index is not written;
    - the path of a Parquet file with such columns.

    `axis`: name and points of the axis of a dict, `("layer", [4, 8])`; or its name only, for the points 0, 1, … . Of a Dataset the name of its
    dimension, where there is more than one left; of columns `name@8` what the axis is called.
    `chain`: number of the chain of every row, for rows that are no independent draws; also an entry, a column or a dimension `chain`.

    Raises `ValueError`, and writes nothing, if there are no draws, the lengths differ, or a value is no real number or NaN, with its row and column.
    """
    path = Path(path)
    rows = _read(data, axis)
    if chain is not None:
        rows.chain = np.asarray(chain)
    _check(rows)
    with _replaced(path) as place:
        if path.suffix.lower() == ".csv":
            _write_csv(place, rows)
        else:
            _write_hdf5(place, rows)
    return path


def _read(data: Any, axis: Axis | None) -> Rows:
    if isinstance(data, str | Path):
        data = _table(Path(data))
    if isinstance(data, xr.Dataset):
        return _of_dataset(data, axis)
    if isinstance(data, pd.DataFrame):
        return _of_frame(data, axis)
    if isinstance(data, Mapping):
        return _of_mapping(data, axis)
    raise ValueError(f"samples of {type(data).__name__}: must be a dict of arrays, an xarray Dataset, a pandas DataFrame or a path")


def _table(path: Path) -> pd.DataFrame:
    """A Parquet file."""
    if path.suffix.lower() not in (".parquet", ".pq"):
        raise ValueError(f"{path}: must end in .parquet; a job reads CSV files by itself")
    if not any(importlib.util.find_spec(name) for name in ("pyarrow", "fastparquet")):
        raise ValueError(f"{path}: Parquet needs pyarrow: pip install 'fathom-analysis[parquet]'")
    return pd.read_parquet(path)


def _numbers(name: str, values: Any) -> np.ndarray:
    """Real numbers as doubles."""
    array = np.asarray(values)
    if array.dtype.kind == "O":
        for place, value in np.ndenumerate(array):
            if value is None or value is pd.NA:
                raise ValueError(f"{_cell(name, place)} is missing; leave the row out")
            if not isinstance(value, int | float | np.number | np.bool_):
                raise ValueError(f"{_cell(name, place)} is {value!r}: must be a number")
        return array.astype("float64")
    if array.dtype.kind not in "fiub":
        what = {"c": "complex numbers", "M": "dates", "m": "times", "S": "texts", "U": "texts"}.get(array.dtype.kind, str(array.dtype))
        raise ValueError(f"{name} holds {what}: must be real numbers")
    return array.astype("float64")


def _cell(name: str, place: tuple[int, ...], points: np.ndarray | None = None) -> str:
    if len(place) > 1:
        name += f" at {_number(points[place[1]]) if points is not None else place[1]}"
    return f"row {place[0]}, column {name}"


def _of_mapping(data: Mapping[str, Any], axis: Axis | None) -> Rows:
    arrays = {str(name): _numbers(str(name), values) for name, values in data.items() if name != CHAIN}
    for name, array in arrays.items():
        if array.ndim not in (1, 2):
            raise ValueError(f"{name} has the shape {array.shape}: must be (draws,) or (draws, points of the axis)")
    widths = {name: array.shape[1] for name, array in arrays.items() if array.ndim == 2}
    rows = Rows(arrays, chain=np.asarray(data[CHAIN]) if CHAIN in data else None)
    if widths:
        rows.axis = axis if isinstance(axis, str) else axis[0] if axis else AXIS
        length = next(iter(widths.values()))
        rows.points = np.asarray(axis[1], "float64") if isinstance(axis, tuple) else np.arange(length, dtype="float64")
        for name, width in widths.items():
            if width != len(rows.points):
                raise ValueError(f"{name} has {width} points of the axis {rows.axis}, which has {len(rows.points)}")
    return rows


def _of_dataset(data: xr.Dataset, axis: Axis | None) -> Rows:
    if "draw" not in data.dims:
        raise ValueError(f"the dataset has no dimension draw; it has {', '.join(map(str, data.dims)) or 'none'}: rename the one of the draws")
    own = [str(dim) for dim in data.dims if dim not in ("draw", CHAIN)]
    name = axis if isinstance(axis, str) else axis[0] if axis else own[0] if len(own) == 1 else None
    if own and name not in own:
        asked = "which dimension is the axis is not clear" if name is None else f"the dataset has no dimension {name}"
        raise ValueError(f"{asked}: give axis=, one of {', '.join(own)}")
    data = data.stack({"row": [CHAIN, "draw"]}, create_index=False) if CHAIN in data.dims else data.rename(draw="row")
    found: dict[str, np.ndarray] = {}
    for key, array in data.data_vars.items():
        if key == CHAIN:
            continue
        if "row" not in array.dims:
            raise ValueError(f"{key} has no dimension draw")
        kept = ["row", *([name] if name in array.dims else [])]
        indices = [dim for dim in array.dims if dim not in kept]
        values = array.transpose(*kept, *indices)
        for place in np.ndindex(*values.shape[len(kept) :]):
            labels = [str(values[dim].values[i]) if dim in values.coords else str(i) for dim, i in zip(indices, place, strict=True)]
            whole = f"{key}[{','.join(labels)}]" if labels else str(key)
            found[whole] = _numbers(whole, values.values[(..., *place)])
    chain = np.asarray(data[CHAIN]) if CHAIN in data.variables else None
    if chain is not None and CHAIN not in data.data_vars:
        chain = np.unique(chain, return_inverse=True)[1]
    points = data[name].values if name in data.coords else np.arange(data.sizes[name] if name else 0)
    return Rows(found, name or "", _numbers(str(name), points), chain)


def _of_frame(data: pd.DataFrame, axis: Axis | None) -> Rows:
    places: dict[str, dict[float, int]] = {}
    for column, label in enumerate(data.columns):
        name, at, point = str(label).partition("@")
        if str(label) == CHAIN:
            continue
        try:
            value = float(point) if at else np.nan
        except ValueError:
            raise ValueError(f"column {label}: what is behind @ must be a number, the point of the axis") from None
        own = places.setdefault(name, {})
        if value in own or (own and (not at or any(np.isnan(list(own))))):
            raise ValueError(f"column {label}: {name} is there twice")
        own[value] = column
    over = {name: sorted(own) for name, own in places.items() if not any(np.isnan(list(own)))}
    points = next(iter(over.values()), [])
    for name, own_points in over.items():
        if own_points != points:
            first = next(iter(over))
            raise ValueError(f"{name} has the points {_list(own_points)}, {first} has {_list(points)}: they must be the same")
    if isinstance(axis, tuple) and list(axis[1]) != points:
        raise ValueError(f"the columns have the points {_list(points)}, axis= says {_list(axis[1])}")
    found: dict[str, np.ndarray] = {}
    for name, own in places.items():
        columns = [_numbers(str(data.columns[place]), data.iloc[:, place].to_numpy()) for _, place in sorted(own.items())]
        found[name] = np.stack(columns, axis=1) if name in over else columns[0]
    chain = data[CHAIN].to_numpy() if CHAIN in data.columns else None
    called = axis if isinstance(axis, str) else axis[0] if axis else AXIS
    return Rows(found, called if over else "", np.asarray(points, "float64"), chain)


def _check(rows: Rows) -> None:
    """What no reader could do with."""
    if not rows.observables:
        raise ValueError("there are no observables")
    first, length = next((name, len(array)) for name, array in rows.observables.items())
    for name, array in rows.observables.items():
        if name in ("", AXIS, CHAIN):
            raise ValueError(f"an observable cannot be called {name!r}")
        if len(array) != length:
            raise ValueError(f"{name} has {len(array)} draws, {first} has {length}: they must have as many")
    if length == 0 or any(array.size == 0 for array in rows.observables.values()):
        raise ValueError("there are no draws")
    for name, array in rows.observables.items():
        bad = np.argwhere(np.isnan(array))
        if len(bad):
            more = f", and {len(bad) - 1} more in this observable" if len(bad) > 1 else ""
            raise ValueError(f"{_cell(name, tuple(map(int, bad[0])), rows.points)} is NaN{more}; leave out the rows that have no value")
    if not np.all(np.isfinite(rows.points)) or np.any(np.diff(rows.points) <= 0):
        raise ValueError(f"the points of the axis {rows.axis} are {_list(rows.points)}: they must be finite and ascending")
    if rows.chain is not None:
        if rows.chain.shape != (length,):
            raise ValueError(f"chain has the shape {rows.chain.shape}: must be ({length},), a number for every draw")
        if rows.chain.dtype.kind not in "iu" and not (rows.chain.dtype.kind == "f" and np.array_equal(rows.chain, np.round(rows.chain))):
            raise ValueError("chain: must be integers")
        rows.chain = rows.chain.astype("int64")


def _number(value: float) -> str:
    """The shortest text that reads as the same double; whole numbers without a point."""
    value = float(value)
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


def _list(values: Any) -> str:
    shown = ", ".join(_number(value) for value in list(values)[:12])
    return shown + (", …" if len(values) > 12 else "")


@contextlib.contextmanager
def _replaced(path: Path) -> Iterator[Path]:
    """A file to write beside the path, which it takes when it is whole."""
    number, place = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(number)
    try:
        yield Path(place)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(place, 0o666 & ~mask)
        os.replace(place, path)
    except BaseException:
        os.unlink(place)
        raise


def _write_hdf5(path: Path, rows: Rows) -> None:
    for name in rows.observables:
        if "/" in name:
            raise ValueError(f"{name}: names in HDF5 have no /; write a .csv file")
    with h5py.File(path, "w") as file:
        file.attrs["fathom_samples"] = 1
        if rows.axis:
            file[AXIS] = rows.points
            file[AXIS].attrs["name"] = rows.axis
        if rows.chain is not None:
            file[CHAIN] = rows.chain
        for name, array in rows.observables.items():
            file[name] = array


def _write_csv(path: Path, rows: Rows) -> None:
    columns: dict[str, np.ndarray] = {}
    if rows.chain is not None:
        columns[CHAIN] = rows.chain
    for name, array in rows.observables.items():
        if array.ndim == 1:
            columns[name] = array
        else:
            columns |= {f"{name}@{_number(point)}": array[:, place] for place, point in enumerate(rows.points)}
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*([repr(value) for value in column.tolist()] for column in columns.values()), strict=True))
