"""A result file, opened: its cases and legs as xarray datasets, its verdicts, chains and trajectories."""

import builtins
import difflib
import importlib
import json
import math
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from . import groups

#: Of a swept key; arrays and tables as the text that TOML writes.
Value = int | float | bool | str


class FileError(Exception):
    """A file that cannot be read, or that lacks what was asked for; the message is one line and says which."""


def lacks(what: str, names: Iterable[str], asked: str) -> str:
    """What there is in the place of what was asked for, and what was probably meant."""
    names = list(dict.fromkeys(names))
    near = difflib.get_close_matches(asked, names, 1)
    shown = ", ".join(names[:20]) + (f", … ({len(names)} in all)" if len(names) > 20 else "")
    return f"{what} {asked}; it has {shown}" + (f"; did you mean {near[0]}?" if near else "")


def settings(case: str) -> dict[str, str]:
    """The keys and values of a case of a sweep as its label has them; values that are tables or arrays stay whole."""
    parts, depth, quoted = [""], 0, False
    for place, letter in enumerate(case):
        quoted ^= letter == '"' and not case[:place].endswith("\\")
        depth += 0 if quoted else (letter in "{[") - (letter in "}]")
        if letter == "," and depth == 0 and not quoted:
            parts.append("")
        else:
            parts[-1] += letter
    pairs = [part.partition("=") for part in parts if "=" in part]
    return {key.strip(): value.strip().strip('"') for key, _, value in pairs}


def _value(text: str) -> Value:
    """A number, a truth value or a text, from what TOML would write."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return text


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


def sealed(path: str | Path) -> Path:
    """The path of a sealed file. Raises `FileError` for one that is missing, foreign or truncated."""
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
    return path


def open(path: str | Path) -> "Result":
    """Opens a result file. Raises `FileError` for a file that is missing, foreign or truncated."""
    path = sealed(path)
    result = Result(path)
    try:
        if not result.cases:
            raise KeyError
    except (OSError, KeyError):
        raise FileError(f"{path} is damaged; fathom verify says more") from None
    return result


#: Axes of whole numbers.
WHOLE = ("layer", "step")


def whole(values: np.ndarray) -> np.ndarray:
    """Doubles that are whole numbers as integers."""
    return values.astype("int64") if values.dtype.kind == "f" and np.all(np.isfinite(values)) and np.all(values == np.round(values)) else values


def _whole(data: xr.Dataset) -> xr.Dataset:
    """Layers and steps as integers: files hold every axis as doubles."""
    for name in WHOLE:
        if name in data.variables and data[name].dtype.kind == "f":
            own = data[name].copy(data=whole(data[name].values))
            data = data.assign_coords({name: own}) if name in data.coords else data.assign({name: own})
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


def _imported(module: str, extra: str) -> Any:
    """A package that only some files need."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise FileError(f"{module.split('.')[0]} is not installed: pip install 'fathom-analysis[{extra}]'") from None


def _together(swept: list[dict[str, Value]]) -> list[list[str]]:
    """The swept keys in groups that move together: the value of one says those of the others."""
    groups: list[list[str]] = []
    for key in swept[0]:
        for group in groups:
            pairs = {(item[group[0]], item[key]) for item in swept}
            if len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs}):
                group.append(key)
                break
        else:
            groups.append([key])
    return groups


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
                self._read[name] = _whole(groups.read(self.path, name))
            except (OSError, KeyError, ValueError):
                raise FileError(f"{self.path} has no {name}") from None
        return self._read[name]

    @cached_property
    def _names(self) -> dict[str, list[str]]:
        with h5py.File(self.path) as file:
            return {
                group: list(file[group])
                for group in ("cases", "comparison", "scaling", "diagnostics", "bias", "order", "report", "posterior", "particles", "estimands")
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
        if case is None:
            if len(self.cases) > 1:
                raise FileError(
                    f"{self.path} has {len(self.cases)} cases: name one, or take all with sweep(); they are "
                    + ", ".join(self.cases[:20]) + (", …" if len(self.cases) > 20 else "")
                )  # fmt: skip
            case = self.cases[0]
        if case not in self.cases:
            raise FileError(lacks(f"{self.path} has no case", self.cases, case))
        return case

    @cached_property
    def _swept(self) -> dict[str, dict[str, Value]]:
        with h5py.File(self.path) as file:
            job = json.loads(file["provenance/job"][0])
        found = {}
        for item in job["cases"]:
            # In the order of the label, which is that of the job.
            order = list(settings(item["label"]))
            keys = sorted(item["swept"], key=lambda key: order.index(key) if key in order else len(order))
            found[item["label"].replace("/", "_")] = {key: _value(item["swept"][key]) for key in keys}
        return found

    def swept(self, case: str | None = None) -> dict[str, Value]:
        """The swept keys of a case with their values: numbers as numbers; empty without a sweep."""
        return dict(self._swept.get(self._case(case), {}))

    def leg(self, name: str, case: str | None = None) -> xr.Dataset:
        """A leg: `mean`, `standard_error`, `quantile`, `density`, ... over `layer` (or `step`) and `observable`.

        Each family of observables is an array as well, over the statistics, the axis and its indices:
        `leg.V.sel(statistic="mean", a=0, b=1, layer=30)`, or `leg["q^-1/2"]` where a name is no identifier. Pairs that a leg does not
        measure (`a > b` of a covariance) are NaN. The swept keys are coordinates, `leg["network.width"]`. A file of several cases
        needs `case`, as everything here that speaks of one case; `sweep` takes all.
        """
        case = self._case(case)
        if name not in self._names[f"cases/{case}"]:
            raise FileError(lacks(f"{self.path} has no leg", self._names[f"cases/{case}"], name))
        group = f"cases/{case}/{name}"
        if group not in self._legs:
            leg = self._group(group)
            if "marginal_density" in leg and "w2" in leg:
                for place, marginal in enumerate(leg["marginal"].values):
                    suffix = f"_{marginal}" if leg.sizes["marginal"] > 1 else ""
                    own = {f"{key}{suffix}": table.values[place] for key, table in leg.data_vars.items() if table.dims == ("marginal",)}
                    leg["marginal_density"].attrs.update({key: value for key, value in own.items() if value != ""})
            self._legs[group] = _with_families(leg).assign_coords(self.swept(case))
        return self._legs[group]

    def finite(self, case: str | None = None) -> xr.Dataset:
        """The finite leg of a case: the network or the particle system itself."""
        return self.leg(self.legs(case)[0], case)

    def sweep(self, leg: str = "finite", *, last: bool = False) -> xr.Dataset:
        """A leg of every case as one dataset: the swept keys are its dimensions, `sweep().sel({"network.width": 64})`.

        `leg`: "finite", or the name of a leg that every case has. Keys that move together share a dimension, that of the first one; the
        others are coordinates along it, with an index of their own. Where the cases are not all
        combinations of the values, the dimension is `case` and every swept key a coordinate along it. What a
        case does not measure (a layer, an observable) is NaN.

        `last`: only the last record of each case, the end of networks of different depths; `layer` or `step` says which it is.
        """
        if self.cases == ["main"]:
            raise FileError(f"{self.path} has no sweep: its only case is main")
        legs: list[xr.Dataset] = []
        ends: dict[str, list[Any]] = {}
        for case in self.cases:
            own = self.finite(case) if leg == "finite" else self.leg(leg, case)
            if last:
                axis = next(str(dim) for dim in own["mean"].dims if dim != "observable")
                own = own.isel({axis: -1})
                ends.setdefault(axis, []).append(own[axis].item())
                own = own.drop_vars(axis)
            legs.append(own)
        table = xr.concat(legs, "case", join="outer", data_vars="all", coords="minimal", compat="override", combine_attrs="drop_conflicts")
        swept = [self.swept(case) for case in self.cases]
        table = table.assign_coords({key: ("case", [item[key] for item in swept]) for key in swept[0]} | {"case": self.cases})
        table = table.assign_coords({axis: ("case", values) for axis, values in ends.items()})
        groups = _together(swept)
        if math.prod(len({item[group[0]] for item in swept}) for group in groups) != len(swept):
            return table
        first = [group[0] for group in groups]
        along = {key: {item[group[0]]: item[key] for item in swept} for group in groups for key in group[1:]}
        table = table.drop_vars(["case", *along])
        table = table.swap_dims(case=first[0]).sortby(first[0]) if len(first) == 1 else table.set_index(case=first).unstack("case")
        places = {key: group[0] for group in groups for key in group[1:]}
        for key, values in along.items():
            table = table.assign_coords({key: (places[key], [values[x] for x in table[places[key]].values.tolist()])}).set_xindex(key)
        return table

    def references(self, case: str | None = None) -> dict[str, xr.Dataset]:
        """The limits and the exact values that a case is compared with, by name."""
        legs = {name: self.leg(name, case) for name in self.legs(case)}
        return {name: leg for name, leg in legs.items() if leg.attrs["role"] != "finite"}

    def comparisons(self) -> list[Comparison]:
        """Every finite leg against every reference."""
        found = [self._group(f"comparison/{name}") for name in sorted(self._names.get("comparison", []), key=int)]
        return [Comparison(d.attrs["case"], d.attrs["reference"], d.attrs["verdict"], d.attrs["sentence"], d) for d in found]

    def estimands(self, case: str | None = None) -> list[xr.Dataset]:
        """Functions of means, such as those of a posterior, with their errors and effective draws: a table for each leg that has some."""
        found = [self._group(f"estimands/{name}") for name in sorted(self._names.get("estimands", []), key=int)]
        return [table for table in found if case is None or table.attrs["case"] == case]

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
        arviz = _imported("arviz", "chains")
        return arviz.from_netcdf(self.path)

    @cached_property
    def frames(self) -> int:
        """Number of frames of the trajectory; 0 without one."""
        if "particles" not in self._names:
            return 0
        with h5py.File(self.path) as file:
            return len(file["particles/trajectory/position/time"])

    def frame(self, index: int) -> tuple[float, np.ndarray]:
        """Time and positions (particles x 3) of one frame of the trajectory."""
        if not self.frames:
            raise FileError(f"{self.path} has no trajectory: set particles.frame_every")
        with h5py.File(self.path) as file:
            position = file["particles/trajectory/position"]
            return float(position["time"][index]), position["value"][index]

    def trajectory(self) -> Any:
        """The kept particles as an MDAnalysis reader of H5MD."""
        if "particles" not in self._names:
            raise FileError(f"{self.path} has no trajectory: set particles.frame_every")
        reader = _imported("MDAnalysis.coordinates.H5MD", "trajectories").H5MDReader
        # Files of format 2 do not say what time is between two frames.
        with h5py.File(self.path) as file:
            times = file["particles/trajectory/position/time"][:2]
        more = {"dt": float(times[1] - times[0])} if len(times) > 1 else {}
        return reader(str(self.path), convert_units=False, **more)
