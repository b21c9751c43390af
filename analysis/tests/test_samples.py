"""samples: one layout, whatever the draws come in; what cannot be meant is refused before anything is written."""

import csv

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import fathom
from fathom import rows

LAYERS = [4, 8, 12]


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def read(path):
    """Everything in a file of samples."""
    with h5py.File(path) as file:
        assert file.attrs["fathom_samples"] == 1 and all(isinstance(item, h5py.Dataset) for item in file.values())
        return {name: item[()] for name, item in file.items()}, {name: dict(item.attrs) for name, item in file.items() if item.attrs}


def same(a, b):
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])


def test_layout(rng, tmp_path):
    data = {"V[0,0]": rng.normal(size=(7, 3)), "rho[0,1]": rng.normal(size=(7, 3)).astype("float32"), "exploded": rng.integers(2, size=7) > 0}
    path = fathom.samples(tmp_path / "x.h5", {**data, "chain": [0, 0, 0, 1, 1, 1, 1]}, axis=("layer", LAYERS))
    found, attributes = read(path)
    same(found, {**{name: array.astype("float64") for name, array in data.items()}, "axis": np.array(LAYERS, float), "chain": [0, 0, 0, 1, 1, 1, 1]})
    assert attributes == {"axis": {"name": "layer"}} and found["exploded"].dtype == "<f8" and found["chain"].dtype == "<i8"
    # Without points they are counted; without an axis there is none.
    assert read(fathom.samples(path, {"x": data["V[0,0]"]}))[0]["axis"].tolist() == [0, 1, 2]
    assert read(fathom.samples(path, {"x": [1, 2]}, chain=[3, 4])) == ({"x": pytest.approx([1, 2]), "chain": pytest.approx([3, 4])}, {})
    assert [item.name for item in tmp_path.iterdir()] == ["x.h5"]


def test_datasets_frames_and_files_are_the_same(rng, tmp_path):
    """A Dataset with chains, its columns, in any order come to one file."""
    values, norm = rng.normal(size=(2, 5, 3, 2, 2)), rng.normal(size=(5, 2))
    data = xr.Dataset(
        {"V": (("chain", "draw", "layer", "a", "b"), values), "norm": (("draw", "chain"), norm)},
        coords={"layer": LAYERS, "chain": [3, 7], "a": [0, 1]},
    )
    path = fathom.samples(tmp_path / "a.h5", data, axis="layer")
    found, attributes = read(path)
    names = [f"V[{a},{b}]" for a in range(2) for b in range(2)]
    expected = {f"V[{a},{b}]": values[..., a, b].reshape(10, 3) for a in range(2) for b in range(2)} | {"norm": norm.T.reshape(10)}
    same(found, expected | {"axis": np.array(LAYERS, float), "chain": [0] * 5 + [1] * 5})
    assert attributes["axis"] == {"name": "layer"}

    fathom.samples(tmp_path / "a.csv", data, axis="layer")
    with open(tmp_path / "a.csv", newline="") as file:
        header, *lines = csv.reader(file)
    assert header == ["chain", *(f"{name}@{layer}" for name in names for layer in LAYERS), "norm"] and len(lines) == 10
    assert float(lines[6][2]) == expected["V[0,0]"][6, 1]
    frame = pd.DataFrame(np.array(lines, float), columns=header)
    for source in (frame, frame.iloc[:, ::-1]):
        again, attributes = read(fathom.samples(tmp_path / "b.h5", source, axis="layer"))
        same(again, found)
        assert attributes["axis"] == {"name": "layer"}
    one = xr.Dataset({"x": ("draw", [1.0, 2.0])})
    same(read(fathom.samples(path, one))[0], {"x": [1.0, 2.0]})


def test_parquet(monkeypatch, tmp_path):
    monkeypatch.setattr(pd, "read_parquet", lambda path: pd.DataFrame({"x@0.5": [1.0, 2.0], "x@1.5": [3.0, 4.0]}))
    monkeypatch.setattr(rows.importlib.util, "find_spec", lambda name: name == "pyarrow")
    found, _ = read(fathom.samples(tmp_path / "x.h5", tmp_path / "rows.parquet", axis="time"))
    same(found, {"axis": [0.5, 1.5], "x": [[1, 3], [2, 4]]})
    monkeypatch.setattr(rows.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"rows\.parquet: Parquet needs pyarrow: pip install 'fathom-analysis\[parquet\]'"):
        fathom.samples(tmp_path / "y.h5", "rows.parquet")


GAP = np.ones((9, 3))
GAP[5, 1] = GAP[7, 0] = np.nan
FRAME = pd.DataFrame
REFUSED = {
    "NaN": ({"y": np.ones((9, 3)), "rho[0,1]": GAP}, ("layer", LAYERS), r"row 5, column rho\[0,1\] at 8 is NaN, and 1 more"),
    "NaN in a column": (FRAME({"x": [1.0, np.nan]}), None, "row 1, column x is NaN"),
    "missing": ({"x": np.array([1.0, None])}, None, "row 1, column x is missing"),
    "text": (FRAME({"x": ["1", "b"]}), None, "x.*(texts|must be a number)"),
    "object": ({"x": np.array([1.0, "b"], dtype=object)}, None, "row 1, column x is 'b': must be a number"),
    "complex": ({"x": np.array([1j])}, None, "x holds complex numbers"),
    "dates": (FRAME({"x": pd.to_datetime(["2026-01-01"])}), None, "x holds dates"),
    "lengths": ({"x": [1.0, 2.0], "y": [1.0]}, None, "y has 1 draws, x has 2"),
    "no draws": ({"x": []}, None, "there are no draws"),
    "no points": ({"x": np.ones((3, 0))}, None, "there are no draws"),
    "no observables": ({}, None, "there are no observables"),
    "three axes": ({"x": np.ones((2, 2, 2))}, None, r"x has the shape \(2, 2, 2\)"),
    "points": ({"x": np.ones((2, 3)), "y": np.ones((2, 2))}, None, "y has 2 points of the axis axis, which has 3"),
    "axis": ({"x": np.ones((2, 3))}, ("layer", [1, 2]), "x has 3 points of the axis layer, which has 2"),
    "order": ({"x": np.ones((2, 3))}, ("layer", [1, 3, 2]), "layer are 1, 3, 2: they must be finite and ascending"),
    "chains": ({"x": [1.0, 2.0], "chain": [1]}, None, r"chain has the shape \(1,\): must be \(2,\)"),
    "chain": ({"x": [1.0, 2.0], "chain": [0.5, 1]}, None, "chain: must be integers"),
    "name": ({"axis": [1.0]}, None, "cannot be called 'axis'"),
    "slash": ({"q^-1/2": [1.0]}, None, r"q\^-1/2: names in HDF5 have no /; write a \.csv"),
    "columns": (FRAME({"x@1": [1.0], "x@2": [1.0], "y@1": [1.0]}), None, "y has the points 1, x has 1, 2: they must be the same"),
    "twice": (FRAME([[1.0, 2.0]], columns=["x", "x"]), None, "column x: x is there twice"),
    "with and without": (FRAME({"x": [1.0], "x@2": [1.0]}), None, "column x@2: x is there twice"),
    "at": (FRAME({"x@end": [1.0]}), None, "column x@end: what is behind @ must be a number"),
    "other points": (FRAME({"x@1": [1.0]}), ("layer", [2]), "the columns have the points 1, axis= says 2"),
    "draw": (xr.Dataset({"x": ("sample", [1.0])}), None, "no dimension draw; it has sample"),
    "which axis": (xr.Dataset({"x": (("draw", "layer", "a"), np.ones((1, 1, 1)))}), None, "axis is not clear: give axis=, one of layer, a"),
    "no axis": (xr.Dataset({"x": (("draw", "layer"), np.ones((1, 1)))}), "time", "the dataset has no dimension time: give axis=, one of layer"),
    "no draw": (xr.Dataset({"x": ("draw", [1.0]), "y": ("layer", [1.0])}), None, "y has no dimension draw"),
    "kind": ([1.0], None, "samples of list: must be a dict"),
    "file": ("x.txt", None, "x.txt: must end in .parquet"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_is_refused(kind, tmp_path):
    data, axis, words = REFUSED[kind]
    (tmp_path / "x.h5").write_text("what was there")
    with pytest.raises(ValueError, match=words):
        fathom.samples(tmp_path / "x.h5", data, axis=axis)
    assert [item.name for item in tmp_path.iterdir()] == ["x.h5"] and (tmp_path / "x.h5").read_text() == "what was there"


def test_infinite_values_are_kept(tmp_path):
    """An observable that overflowed is a fact about the draw; NaN is none."""
    assert read(fathom.samples(tmp_path / "x.h5", {"x": [1.0, np.inf]}))[0]["x"].tolist() == [1.0, np.inf]
    assert read(fathom.samples(tmp_path / "x.h5", {"x": FRAME({"x": pd.array([1, 2], dtype="Int64")})["x"]}))[0]["x"].tolist() == [1, 2]
