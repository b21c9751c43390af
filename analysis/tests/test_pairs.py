"""compare: what it hands to the program, and what it returns of the result."""

import h5py
import numpy as np
import pytest
import xarray as xr

import fathom
from fathom import pairs


@pytest.fixture
def program(network, tmp_path):
    """In the place of the program: keeps the job and its files, and answers with a result that is there already."""
    path = tmp_path / "program"
    path.write_text(f'#!/bin/sh\nset -e\ncp "$2" {tmp_path}/job.toml\ncd "$(dirname "$4")"\ncp a.h5 b.h5 {tmp_path}/\ncp {network} comparison.h5\n')
    path.chmod(0o755)
    return path


def names(path):
    with h5py.File(path) as file:
        return {name: item[()] for name, item in file.items()}


def test_both_sides_reach_the_program(program, network, tmp_path):
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(7, 2, 2)), rng.normal(size=(9, 2, 2))
    found = pairs.compare(a, b, tolerance=0.1, alpha=0.01, program=program)
    job = fathom.read_job(tmp_path / "job.toml")
    assert job["comparison"] == {"mean": 0.1, "ks": 0.1, "alpha": 0.01} and job["samples"]["file"].endswith("/a.h5")
    assert job["limit"][0]["file"].endswith("/b.h5")
    for path, data in [("a.h5", a), ("b.h5", b)]:
        own = names(tmp_path / path)
        assert own.keys() == {"x[0,0]", "x[0,1]", "x[1,0]", "x[1,1]"}
        np.testing.assert_array_equal(own["x[1,0]"], data[:, 1, 0])
    first = fathom.open(network).comparisons()[0]
    assert (found.verdict, found.sentence) == (first.verdict, first.sentence) and found.table.equals(first.table)


def test_labels_and_tolerances(program, tmp_path):
    data = xr.DataArray(np.ones((4, 2)), dims=("draw", "layer"), coords={"layer": [8, 16]}, name="rho[0,1]")
    pairs.compare(data, {"rho[0,1]": np.ones((3, 2))}, tolerance={"ks": 0.02}, axis=("layer", [8, 16]), program=program)
    assert names(tmp_path / "a.h5")["axis"].tolist() == names(tmp_path / "b.h5")["axis"].tolist() == [8, 16]
    assert fathom.read_job(tmp_path / "job.toml")["comparison"] == {"ks": 0.02}


def test_what_is_no_set_of_draws(program):
    for a, b, words in [
        (1.0, [1.0], "a: a number is no set of draws"), ([1.0], [np.nan], "b: row 0, column x is NaN"), ([], [1.0], "a: there are no draws"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=words):
            pairs.compare(a, b, program=program)
    with pytest.raises(ValueError, match="takes mean and ks"):
        pairs.compare([1.0], [1.0], tolerance={"median": 1}, program=program)
