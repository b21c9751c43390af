"""A result file, opened: its cases and legs as xarray datasets, its verdicts, chains and trajectories."""

import builtins
import json
import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr


class FileError(Exception):
    """A file that cannot be read, or that lacks what was asked for; the message is one line and says which."""


@dataclass(frozen=True)
class Comparison:
    """A finite leg compared with a reference.

    `verdict` is agrees, differs or undecided; `sentence` says it in words. `table` has one row a layer, observable and statistic: `finite`,
    `reference`, their errors, `z`, `ks_distance`, `ks_p_value`, `shift`, `verdict` (docs/file-format.md).
    """

    case: str
    reference: str
    verdict: str
    sentence: str
    table: xr.Dataset


def open(path: str | Path) -> "Result":
    """Opens a result file. Raises `FileError` for a file that is missing, foreign or truncated."""
    path = Path(path)
    try:
        with builtins.open(path, "rb") as file:
            block = file.read(512)
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from None
    if not block.startswith(b"fathom sealed file"):
        raise FileError(f"{path} is not a fathom result file")
    declared = re.search(rb"bytes = (\d+)", block)
    if declared is None or int(declared[1]) != size:
        raise FileError(f"{path} is truncated or was added to; fathom verify says more")
    result = Result(path)
    try:
        if not result.cases:
            raise KeyError
    except (OSError, KeyError):
        raise FileError(f"{path} is damaged; fathom verify says more") from None
    return result


def _whole(data: xr.Dataset) -> xr.Dataset:
    """Layers and steps as integers: files hold every axis as doubles."""
    for name in ("layer", "step"):
        if name in data.variables and data[name].dtype.kind == "f":
            values = data[name].values
            if np.all(np.isfinite(values)) and np.all(values == np.round(values)):
                data = (
                    data.assign_coords({name: data[name].astype("int64")}) if name in data.coords else data.assign({name: data[name].astype("int64")})
                )
    return data


def _families(leg: xr.Dataset) -> dict[str, list[tuple[int, tuple[int, ...]]]]:
    """The observables of each family: their places and their indices."""
    names = [str(name) for name in leg["observable"].values]
    if "family" in leg:
        families = [str(name) for name in leg["family"].values]
        empty = np.empty((len(names), 0), dtype="int64")
        indices = [tuple(int(i) for i in row if i >= 0) for row in (leg["index"].values if "index" in leg else empty)]
    else:
        parts = [re.fullmatch(r"(.*)\[(\d+(?:,\d+)*)\]", name) for name in names]
        families = [part[1] if part else name for part, name in zip(parts, names, strict=True)]
        indices = [tuple(int(i) for i in part[2].split(",")) if part else () for part in parts]
    found: dict[str, list[tuple[int, tuple[int, ...]]]] = {}
    for place, (family, own) in enumerate(zip(families, indices, strict=True)):
        found.setdefault(family, []).append((place, own))
    return found


def _with_families(leg: xr.Dataset) -> xr.Dataset:
    """Adds an array for each family, over the statistics, the axis and the indices a, b, ...; NaN where the leg has no such observable."""
    axis = next((str(d) for d in leg["mean"].dims if d != "observable"), None) if "mean" in leg else None
    if axis is None:
        return leg
    statistics = [str(name) for name, table in leg.data_vars.items() if table.dims == (axis, "observable") and table.dtype.kind in "fiu"]
    values = np.stack([leg[name].values.astype("float64") for name in statistics])
    families = _families(leg)
    letters = "abcdefghijklmnop"
    ranks = {name: len(members[0][1]) for name, members in families.items()}
    labels = [sorted({own[k] for members in families.values() for _, own in members if len(own) > k}) for k in range(max(ranks.values(), default=0))]
    arrays: dict[str, xr.DataArray] = {}
    for family, members in families.items():
        rank = ranks[family]
        if family in leg.variables or family in leg.dims or any(len(own) != rank for _, own in members):
            continue
        array = np.full((*values.shape[:2], *(len(own) for own in labels[:rank])), np.nan)
        for place, own in members:
            where: Any = (slice(None), slice(None), *(labels[k].index(i) for k, i in enumerate(own)))
            array[where] = values[:, :, place]
        arrays[family] = xr.DataArray(
            array,
            dims=("statistic", axis, *letters[:rank]),
            coords={"statistic": statistics, axis: leg[axis], **{letters[k]: labels[k] for k in range(rank)}},
        )
    return leg.assign(arrays)


class Result:
    """What a job came to. Nothing is read before it is asked for, and nothing twice."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: dict[str, xr.Dataset] = {}
        self._legs: dict[str, xr.Dataset] = {}

    def __repr__(self) -> str:
        state = "finished" if self.finished else "not finished"
        return f"<fathom result {self.path.name}: {self.title}; {len(self.cases)} case(s), {state}>"

    def _group(self, name: str) -> xr.Dataset:
        if name not in self._read:
            try:
                with xr.open_dataset(self.path, group=name, engine="h5netcdf") as data:
                    self._read[name] = _whole(data.load())
            except (OSError, KeyError, ValueError):
                raise FileError(f"{self.path} has no {name}") from None
        return self._read[name]

    @cached_property
    def _names(self) -> dict[str, list[str]]:
        with h5py.File(self.path) as file:
            return {
                group: list(file[group])
                for group in ("cases", "comparison", "scaling", "diagnostics", "bias", "order", "report", "posterior", "particles")
                if group in file
            } | {f"cases/{case}": list(file[f"cases/{case}"]) for case in file["cases"]}

    @cached_property
    def title(self) -> str:
        with h5py.File(self.path) as file:
            return str(file.attrs["title"])

    @property
    def cases(self) -> list[str]:
        """Labels of the cases: `main`, or one for each combination of a sweep, `key=value,...`; numbers in their order."""
        parts = {case: re.split(r"(\d+(?:\.\d+)?)", case) for case in self._names["cases"]}
        return sorted(parts, key=lambda case: [float(p) if i % 2 else p for i, p in enumerate(parts[case])])

    @property
    def finished(self) -> bool:
        """Whether all draws that the job asks for are there."""
        return "report" in self._names

    def legs(self, case: str | None = None) -> list[str]:
        """Names of the legs of a case, the finite ones first."""
        case = self._case(case)
        order = {"finite": 0, "limit": 1, "exact": 2, "refinement": 3}
        with h5py.File(self.path) as file:
            roles = {name: str(group.attrs["role"]) for name, group in file[f"cases/{case}"].items()}
        return sorted(roles, key=lambda name: order.get(roles[name], 4))

    def _case(self, case: str | None) -> str:
        case = self.cases[0] if case is None else case
        if case not in self.cases:
            raise FileError(f"{self.path} has no case {case}; it has {', '.join(self.cases)}")
        return case

    def leg(self, name: str, case: str | None = None) -> xr.Dataset:
        """A leg: `mean`, `standard_error`, `quantile`, `density`, ... over `layer` (or `step`) and `observable`.

        Each family of observables is an array as well, over the statistics, the axis and its indices:
        `leg.V.sel(statistic="mean", a=0, b=1, layer=30)`, or `leg["q^-1/2"]` where a name is no identifier. Pairs that a leg does not
        measure (`a > b` of a covariance) are NaN.
        """
        case = self._case(case)
        if name not in self._names[f"cases/{case}"]:
            raise FileError(f"{self.path} has no leg {name}; it has {', '.join(self._names[f'cases/{case}'])}")
        group = f"cases/{case}/{name}"
        if group not in self._legs:
            leg = self._group(group)
            if "marginal_density" in leg and "w2" in leg:
                for place, marginal in enumerate(leg["marginal"].values):
                    suffix = f"_{marginal}" if leg.sizes["marginal"] > 1 else ""
                    own = {f"{key}{suffix}": table.values[place] for key, table in leg.data_vars.items() if table.dims == ("marginal",)}
                    leg["marginal_density"].attrs.update({key: value for key, value in own.items() if value != ""})
            self._legs[group] = _with_families(leg)
        return self._legs[group]

    def finite(self, case: str | None = None) -> xr.Dataset:
        """The finite leg of a case: the network or the particle system itself."""
        return self.leg(self.legs(case)[0], case)

    def references(self, case: str | None = None) -> dict[str, xr.Dataset]:
        """The limits and the exact values that a case is compared with, by name."""
        legs = {name: self.leg(name, case) for name in self.legs(case)}
        return {name: leg for name, leg in legs.items() if leg.attrs["role"] != "finite"}

    def comparisons(self) -> list[Comparison]:
        """Every finite leg against every reference."""
        found = [self._group(f"comparison/{name}") for name in sorted(self._names.get("comparison", []), key=int)]
        return [Comparison(d.attrs["case"], d.attrs["reference"], d.attrs["verdict"], d.attrs["sentence"], d) for d in found]

    def verdicts(self) -> dict[str, str]:
        """The verdicts in words, by case and reference."""
        return {f"{c.case}: {c.reference}": c.sentence for c in self.comparisons()}

    def scaling(self, kind: str | None = None) -> list[xr.Dataset]:
        """Extrapolations of a kind: `sizes` (limits against a sweep), `orders`, `remainders` or `refinements`; all if none is given."""
        found = [self._group(f"scaling/{name}") for name in sorted(self._names.get("scaling", []), key=int)]
        return [table for table in found if kind is None or table.attrs["kind"] == kind]

    def _older(self, group: str, kind: str) -> list[xr.Dataset]:
        """Extrapolations of a kind; files of format 2 have a group of their own for it."""
        return [self._group(f"{group}/{name}") for name in sorted(self._names.get(group, []), key=int)] or self.scaling(kind)

    @property
    def has_bias(self) -> bool:
        """Whether the job has a [bias] table, and something came of it."""
        return bool(self._older("bias", "refinements"))

    def bias(self) -> list[xr.Dataset]:
        """Bias in N and in h, a dataset a case, one row an observable; jobs with `[bias]` only."""
        found = self._older("bias", "refinements")
        if not found:
            raise FileError(f"{self.path} has no bias: the job has no [bias] table")
        return found

    def orders(self) -> list[xr.Dataset]:
        """Fitted orders of the error in a size or a step; sweeps over a parameter that declares itself small only."""
        found = self._older("order", "orders")
        if not found:
            raise FileError(f"{self.path} has no orders: the job sweeps neither a size nor a step")
        return found

    def report(self) -> dict[str, Any]:
        """What `fathom show --json` prints (docs/json.md); finished files only."""
        if not self.finished:
            raise FileError(f"{self.path} is not finished: fathom show --json makes its report at any time")
        with h5py.File(self.path) as file:
            return json.loads(file["report/json"][0])

    def provenance(self) -> dict[str, str]:
        """Version, dates, ranks, hosts, command and the text of the job."""
        with h5py.File(self.path) as file:
            group = file["provenance"]
            return {name: str(value) for name, value in group.attrs.items()} | {"job": group["job_text"][0].decode()}

    def chains(self) -> Any:
        """The kept states as ArviZ reads chains."""
        if "posterior" not in self._names:
            raise FileError(f"{self.path} has no chains: set particles.frame_every")
        import arviz

        return arviz.from_netcdf(self.path)

    def trajectory(self) -> Any:
        """The kept particles as an MDAnalysis reader of H5MD."""
        if "particles" not in self._names:
            raise FileError(f"{self.path} has no trajectory: set particles.frame_every")
        from MDAnalysis.coordinates.H5MD import H5MDReader

        # Files of format 2 do not say what time is between two frames.
        with h5py.File(self.path) as file:
            times = file["particles/trajectory/position/time"][:2]
        more = {"dt": float(times[1] - times[0])} if len(times) > 1 else {}
        return H5MDReader(str(self.path), convert_units=False, **more)
