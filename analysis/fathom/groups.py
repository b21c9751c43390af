"""A group of a result file as an xarray dataset, the one that `xarray.open_dataset(path, group=name, engine="h5netcdf")` gives.

That call takes up to a hundred times as long in a file of many groups: it asks HDF5 for the name of every dimension scale that a
variable refers to, and HDF5 looks for an object by its address through the whole file. The scales of a table are in its own group.
"""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

#: Attributes by which HDF5 keeps dimension scales.
HIDDEN = {"CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST"}


def attributes(item: Any) -> dict[str, Any]:
    """The attributes of a group or dataset, those of dimension scales left out; an array of one number is the number."""
    found = {key: value for key, value in item.attrs.items() if key not in HIDDEN}
    return {key: value[0] if getattr(value, "shape", None) == (1,) else value for key, value in found.items()}


def read(path: Path, name: str) -> xr.Dataset:
    """Reads a group. Raises KeyError unless there is one, and OSError if the file cannot be read."""
    with h5py.File(path) as file:
        group = file[name]
        if not isinstance(group, h5py.Group):
            raise KeyError(name)
        tables = {key: item for key, item in group.items() if isinstance(item, h5py.Dataset)}
        scales = {h5py.h5o.get_info(item.id).addr: key for key, item in tables.items() if item.attrs.get("CLASS") == b"DIMENSION_SCALE"}
        variables = {}
        for key, item in tables.items():
            lists = item.attrs.get("DIMENSION_LIST", ())
            places = (h5py.h5o.get_info(h5py.h5r.dereference(refs[0], file.id)).addr for refs in lists)
            dims = [scales[place] for place in places] if len(lists) else [key]
            values = np.asarray(item.asstr()[...], dtype=str) if h5py.check_string_dtype(item.dtype) else item[...]
            variables[key] = (dims, values, attributes(item))
        return xr.Dataset(variables, attrs=attributes(group))
