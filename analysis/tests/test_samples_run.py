"""Draws of NumPy, written by samples and read by the program: every layout, both sides, what is refused."""

import subprocess

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from conftest import FATHOM

import fathom

pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def run(name, **keys):
    job = {"title": name, "seed": 1, "samples": {"file": name, **keys}, "run": {"keep": 4}}
    return fathom.run(job, output=f"{name}.result", progress=False)


def test_every_file_gives_the_same_draws(rng):
    data = rng.normal(size=(50, 2, 2))
    both = {"x[0]": data[:, :, 0], "x[1]": data[:, :, 1]}
    fathom.samples("a.h5", both, axis=("layer", [3, 7]))
    fathom.samples("b.csv", both, axis=("layer", [3, 7]))
    frame = pd.DataFrame({f"x[{i}]@{layer}": data[:, k, i] for k, layer in enumerate((3, 7)) for i in (0, 1)})
    fathom.samples("c.h5", frame)
    fathom.samples("d.h5", xr.Dataset({"x": (("draw", "layer", "i"), data)}, coords={"layer": [3, 7]}), axis="layer")
    np.save("e.npy", data.reshape(50, 4))
    names = ["x[0]@3", "x[1]@3", "x[0]@7", "x[1]@7"]
    results = [run(name) for name in ("a.h5", "b.csv", "c.h5", "d.h5")] + [run("e.npy", columns=names)]
    for result in results:
        leg = result.finite()
        axis = "layer" if "layer" in leg.dims else "axis"
        assert leg[axis].values.tolist() == [3, 7] and leg["observable"].values.tolist() == ["x[0]", "x[1]"]
        np.testing.assert_array_equal(leg["draw_value"].values, data[:4])
        np.testing.assert_allclose(leg["mean"].values, data.mean(axis=0), rtol=1e-14)
        assert leg["family"].values.tolist() == ["x", "x"] and leg.attrs["sha256"] != "" and "lag_1" in leg
    # The bits do not depend on the file, nor on ranks.
    fathom.run({"title": "a", "seed": 2, "samples": {"file": "a.h5"}, "run": {"keep": 4}}, output="ranks.h5", ranks=3, progress=False)
    files = ["a.h5.result", "b.csv.result", "e.npy.result", "ranks.h5"]
    digests = {subprocess.run([FATHOM, "digest", file], check=True, capture_output=True, text=True).stdout for file in files}
    assert len(digests) == 1 and len(digests.pop().strip()) == 64


def test_parquet(rng):
    pd.DataFrame({"x": rng.normal(size=30)}).to_parquet("x.parquet")
    fathom.samples("x.h5", "x.parquet")
    assert int(run("x.h5").finite().attrs["draws"]) == 30


def test_a_changed_file_is_another_job(rng):
    fathom.samples("x.h5", {"x": rng.normal(size=30)})
    run("x.h5")
    fathom.samples("x.h5", {"x": rng.normal(size=30)})
    with pytest.raises(fathom.RunError, match="sha256"):
        run("x.h5")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda file: file["x"].__setitem__((4, 1), np.nan), r"row 4 \(from 0\), column x@7 is NaN"),
        (lambda file: file.attrs.__delitem__("fathom_samples"), "was not written by fathom.samples"),
        (lambda file: file.attrs.__setitem__("fathom_samples", 2), "version 2 of the layout of rows; 1 is read"),
        (lambda file: file.__setitem__("y", np.zeros(9)), "y has 9 rows, x has 10"),
        (lambda file: file.__setitem__("y", np.zeros((10, 3))), "y has 3 points of the axis, which has 2"),
        (lambda file: file.__setitem__("y", np.zeros((10, 2, 1))), "y has the shape"),
        (lambda file: file.__setitem__("y", np.zeros(10)), "x has the point 3 of the axis, y has none"),
        (lambda file: file.__setitem__("y", ["text"] * 10), "y does not hold numbers"),
        (lambda file: file.create_group("g"), "g"),
        (lambda file: file.__setitem__("chain", [0] * 9 + [1]), "chain 0 has 9 rows, chain 1 has 1"),
        (lambda file: (file["x"].__setitem__((4, 1), np.inf), file.__setitem__("chain", [0] * 10)), "row 4, column x@7 is inf"),
    ],
)
def test_what_is_refused(change, words, rng):
    fathom.samples("x.h5", {"x": rng.normal(size=(10, 2))}, axis=("layer", [3, 7]))
    with h5py.File("x.h5", "r+") as file:
        change(file)
    with pytest.raises(fathom.RunError, match=words):
        run("x.h5")


def test_results_and_other_files_are_no_rows(network):
    with pytest.raises(fathom.RunError, match="is a result of fathom, not a file of rows"):
        run(str(network))


def test_infinite_draws_are_counted(rng):
    x = rng.normal(size=400)
    x[7] = np.inf
    fathom.samples("x.h5", {"x": x})
    leg = run("x.h5").finite()
    assert int(leg["not_finite"].squeeze()) == 1 and int(leg.attrs["draws_overflowed"]) == 1
    np.testing.assert_allclose(float(leg["mean"].squeeze()), np.delete(x, 7).mean(), rtol=1e-12)


def test_chains_have_wider_errors(rng):
    x = rng.normal(size=(4, 3000))
    for k in range(1, 3000):
        x[:, k] = 0.8 * x[:, k - 1] + 0.6 * x[:, k]
    fathom.samples("x.h5", {"x": x.ravel()}, chain=np.repeat(np.arange(4), 3000))
    leg = run("x.h5").finite()
    effective = float(leg["effective_rows"].squeeze())
    # (1 - 0.8)/(1 + 0.8) of the rows.
    assert 0.7 < effective / (12000 / 9) < 1.1 and float(leg["r_hat"].squeeze()) < 1.05
    wide, plain = float(leg["standard_error"].squeeze()), float(leg["standard_deviation"].squeeze()) / np.sqrt(12000)
    np.testing.assert_allclose(wide / plain, np.sqrt(12000 / effective), rtol=1e-9)


def test_compare(rng):
    a, b = rng.normal(size=(8000, 2)), rng.normal(size=(9000, 2))
    found = fathom.compare(a, b, tolerance=0.06)
    assert found.verdict == "agrees" and found.table["observable"].values.tolist() == ["x[0]", "x[1]"], found.sentence
    assert fathom.compare(a, 1.5 * b, tolerance=0.04).verdict == "differs"
    assert fathom.compare(a[:500], b, tolerance=0.02).verdict == "undecided"
    walk = fathom.compare(np.cumsum(a[:, 0]), b[:, 0])
    assert walk.verdict == "undecided" and set(walk.table["reason"].values) == {"autocorrelated"}
    with pytest.raises(fathom.RunError, match=r"z is not measured in samples; it has y"):
        fathom.compare({"y": a[:, 0]}, {"z": b[:, 0]})
