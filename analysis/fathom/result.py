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
import xarray as xr


class FileError(Exception):
    """A file that cannot be read, or that lacks what was asked for; the message is one line and says which."""


@dataclass(frozen=True)
class Comparison:
    """A finite leg held against a reference.

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


class Result:
    """What a job came to. Nothing is read before it is asked for, and nothing twice."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: dict[str, xr.Dataset] = {}

    def __repr__(self) -> str:
        state = "finished" if self.finished else "not finished"
        return f"<fathom result {self.path.name}: {self.title}; {len(self.cases)} case(s), {state}>"

    def _group(self, name: str) -> xr.Dataset:
        if name not in self._read:
            try:
                with xr.open_dataset(self.path, group=name, engine="h5netcdf") as data:
                    self._read[name] = data.load()
            except (OSError, KeyError, ValueError):
                raise FileError(f"{self.path} has no {name}") from None
        return self._read[name]

    @cached_property
    def _names(self) -> dict[str, list[str]]:
        with h5py.File(self.path) as file:
            return {
                group: list(file[group]) for group in ("cases", "comparison", "bias", "order", "report", "posterior", "particles") if group in file
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
        order = {"finite": 0, "limit": 1, "exact": 2}
        with h5py.File(self.path) as file:
            roles = {name: str(group.attrs["role"]) for name, group in file[f"cases/{case}"].items()}
        return sorted(roles, key=lambda name: order.get(roles[name], 3))

    def _case(self, case: str | None) -> str:
        case = self.cases[0] if case is None else case
        if case not in self.cases:
            raise FileError(f"{self.path} has no case {case}; it has {', '.join(self.cases)}")
        return case

    def leg(self, name: str, case: str | None = None) -> xr.Dataset:
        """A leg: `mean`, `standard_error`, `quantile`, `density`, ... over `layer` (or `step`) and `observable`."""
        case = self._case(case)
        if name not in self._names[f"cases/{case}"]:
            raise FileError(f"{self.path} has no leg {name}; it has {', '.join(self._names[f'cases/{case}'])}")
        return self._group(f"cases/{case}/{name}")

    def finite(self, case: str | None = None) -> xr.Dataset:
        """The finite leg of a case: the network or the particle system itself."""
        return self.leg(self.legs(case)[0], case)

    def references(self, case: str | None = None) -> dict[str, xr.Dataset]:
        """The limits and the exact values that a case is held against, by name."""
        legs = {name: self.leg(name, case) for name in self.legs(case)}
        return {name: leg for name, leg in legs.items() if leg.attrs["role"] != "finite"}

    def comparisons(self) -> list[Comparison]:
        """Every finite leg against every reference."""
        found = [self._group(f"comparison/{name}") for name in sorted(self._names.get("comparison", []), key=int)]
        return [Comparison(d.attrs["case"], d.attrs["reference"], d.attrs["verdict"], d.attrs["sentence"], d) for d in found]

    def verdicts(self) -> dict[str, str]:
        """The verdicts in words, by case and reference."""
        return {f"{c.case}: {c.reference}": c.sentence for c in self.comparisons()}

    def bias(self) -> list[xr.Dataset]:
        """Bias in N and in h, a dataset a case, one row an observable; jobs with `[bias]` only."""
        if "bias" not in self._names:
            raise FileError(f"{self.path} has no bias: the job has no [bias] table")
        return [self._group(f"bias/{name}") for name in sorted(self._names["bias"], key=int)]

    def orders(self) -> list[xr.Dataset]:
        """Fitted orders of the error in N or h; sweeps over particles.number or particles.step only."""
        if "order" not in self._names:
            raise FileError(f"{self.path} has no orders: the job sweeps neither particles.number nor particles.step")
        return [self._group(f"order/{name}") for name in sorted(self._names["order"], key=int)]

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

        return H5MDReader(str(self.path), convert_units=False)
