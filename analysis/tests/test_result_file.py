"""The result file as Python users open it: labelled axes in xarray, and through the package."""

import os
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

import fathom
from fathom import groups

ROOT = Path(__file__).parents[2]
FATHOM = Path(os.environ.get("FATHOM_PRODUCTS", ROOT / ".build" / "release")) / "fathom"
SETTINGS = ["network.draws=4000", "network.width=20", "network.depth=20", "network.layers=[5, 20]"]


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "result.h5"
    options = [word for setting in SETTINGS for word in ("--set", setting)]
    job = ROOT / "jobs" / "neural-covariance.toml"
    subprocess.run([FATHOM, "run", job, "-o", path, *options], check=True, capture_output=True)
    return path


def open_leg(path, leg):
    return xr.open_dataset(path, group=f"cases/main/{leg}", engine="h5netcdf")


@pytest.mark.parametrize("kind", ["network", "particles", "phases"])
def test_groups_are_what_xarray_reads(kind, request):
    """The package's reader against xarray's, every table of a file with a few cases; the frames of trajectories are no tables."""
    path = request.getfixturevalue(kind)
    found = []
    with h5py.File(path) as file:
        for table in ("cases", "comparison", "scaling", "diagnostics", "bias", "order", "report", "provenance"):
            if table in file:
                file[table].visititems(lambda name, item, table=table: found.append(f"{table}/{name}") if isinstance(item, h5py.Group) else None)
    found = found[:: max(1, len(found) // 6)]
    assert len(found) >= 5
    for group in found:
        with xr.open_dataset(path, group=group, engine="h5netcdf") as data:
            xr.testing.assert_identical(data.load(), groups.read(path, group))


def test_axes_are_labelled(result):
    leg = open_leg(result, "network")
    assert dict(leg["mean"].sizes) == {"layer": 2, "observable": 7}
    assert list(leg.layer.values) == [5, 20]
    assert list(leg.observable.values)[:2] == ["V[0,0]", "V[0,1]"]
    assert leg["quantile"].dims == ("layer", "observable", "quantile_level")
    assert leg["covariance"].dims == ("layer", "observable", "observable_2")
    one = leg["mean"].sel(layer=20, observable="rho[0,1]")
    assert abs(float(one)) < 1 and float(leg["standard_error"].sel(layer=20, observable="rho[0,1]")) > 0
    assert leg.attrs["draws"] == 4000 and "sqrt(c/n)" in leg.attrs["equation"]
    assert leg["mean"].attrs["units"] == "1"


def test_numbers_hang_together(result):
    for name in ("network", "covariance-sde"):
        leg = open_leg(result, name)
        assert np.all(leg["count"] == 4000)
        np.testing.assert_allclose(leg["standard_error"], leg["standard_deviation"] / np.sqrt(4000), rtol=1e-12)
        variances = leg["covariance"].values[:, range(7), range(7)]
        np.testing.assert_allclose(variances, leg["variance"], rtol=1e-9)
        widths = np.diff(leg["density_edge"], axis=-1)
        mass = (leg["density"].values * widths).sum(axis=-1)
        assert np.all((mass > 0.99) & (mass <= 1 + 1e-9))
        assert np.all(np.diff(leg["quantile"], axis=-1) >= 0)


def test_comparison_and_provenance(result):
    with h5py.File(result) as f:
        groups = list(f["comparison"].values())
        assert {g.attrs["reference"] for g in groups} == {"covariance-sde", "infinite-width", "exact"}
        assert all(g.attrs["verdict"] in ("agrees", "differs", "undecided") for g in groups)
        assert f["provenance"].attrs["ranks"] == "1"
        assert "architecture" in f["provenance/job_text"][0].decode()
    table = xr.open_dataset(result, group="comparison/0", engine="h5netcdf")
    assert table["z"].dims == ("row",) and len(table["row"]) == 14


SAMPLES = ROOT / "Tests/ResultsTests/Format2"


def test_families_are_labelled(result):
    leg = fathom.open(result).finite()
    assert leg.rho.dims == ("statistic", "layer", "a", "b") and leg.log_V.dims == ("statistic", "layer", "a")
    for statistic in ("mean", "standard_error", "standard_deviation", "variance", "kurtosis", "count"):
        one = leg.rho.sel(statistic=statistic, a=0, b=1, layer=20)
        assert float(one) == float(leg[statistic].sel(observable="rho[0,1]", layer=20))
    assert np.isnan(leg.V.sel(statistic="mean", a=1, b=0)).all()
    assert list(leg.layer.values) == [5, 20] and leg.layer.dtype.kind == "i"
    reference = fathom.open(result).leg("covariance-sde")
    assert float(reference.V.sel(statistic="mean", a=1, b=1, layer=5)) == float(reference["mean"].sel(observable="V[1,1]", layer=5))


@pytest.mark.parametrize("name", ["network", "particles", "unfinished", "health"])
def test_files_of_format_2(name):
    old = fathom.open(SAMPLES / f"{name}.h5")
    leg = old.finite(old.cases[0])
    families = {"network": "V", "particles": "energy", "unfinished": "x^2", "health": "rho"}
    names = {"network": "V[0,0]", "particles": "energy", "unfinished": "x^2", "health": "rho[0,1]"}
    array = leg[families[name]]
    assert array.dims[:2] == ("statistic", leg["mean"].dims[0])
    labels = {"network": {"a": 0, "b": 0}, "health": {"a": 0, "b": 1}}.get(name, {})
    one = leg["mean"].sel(observable=names[name])
    np.testing.assert_array_equal(array.sel(statistic="mean", **labels), one)
    assert old.finished == (name != "unfinished")
    if name == "particles":
        assert len(old.bias()) == 1 and old.trajectory().dt == pytest.approx(1.0)
    if name == "network":
        assert len(old.comparisons()) == 3 and list(old.sweep()["network.width"].values) == [8, 16, 32]
    if name == "unfinished":
        assert old.trajectory().dt == pytest.approx(50000)
